package dev.nola.client.peft;

import java.util.List;
import java.util.Optional;

/** What a model is made for, as PEFT names it. */
public enum TaskType {
  /** Text generation. */
  CAUSAL_LM(List.of(), "text-generation"),
  /** Summarization, translation. */
  SEQ_2_SEQ_LM(List.of(), "text2text-generation", "summarization", "translation"),
  /** Classification of a text. */
  SEQ_CLS(List.of("classifier", "score"), "text-classification"),
  /** Classification of each token. */
  TOKEN_CLS(List.of("classifier", "score"), "token-classification"),
  /** Extractive question answering. */
  QUESTION_ANS(List.of("qa_outputs"), "question-answering"),
  /** The bare transformer without a head. */
  FEATURE_EXTRACTION(List.of(), "feature-extraction");

  private final List<String> heads;
  private final List<String> names;

  TaskType(List<String> heads, String... names) {
    this.heads = heads;
    this.names = List.of(names);
  }

  /**
   * Returns the names of modules of which PEFT keeps one whole for this task, and takes for granted
   * that every adapter brings it; none when the task has no head of its own.
   *
   * @return the names
   */
  public List<String> heads() {
    return heads;
  }

  /**
   * Returns the path of the head that a module is, or is in.
   *
   * @param path the module's path
   * @return the head's path; empty if the module is in none
   */
  public Optional<String> headOf(String path) {
    int end = 0;
    for (String part : path.split("\\.")) {
      end += part.length();
      if (heads.contains(part)) {
        return Optional.of(path.substring(0, end));
      }
      end++;
    }
    return Optional.empty();
  }

  /**
   * Returns the name that model hubs give the task.
   *
   * @return such as {@code text-generation}
   */
  public String task() {
    return names.getFirst();
  }

  /**
   * Finds the type of a task by the name that model hubs give it.
   *
   * @param task such as {@code text-generation}
   * @return the type, or empty
   */
  public static Optional<TaskType> ofTask(String task) {
    for (TaskType type : values()) {
      if (type.names.contains(task)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
