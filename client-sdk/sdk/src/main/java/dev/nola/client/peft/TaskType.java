package dev.nola.client.peft;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a model is made for: the one table of the names that PEFT, Transformers and the Hugging Face
 * Hub have for a task.
 */
public enum TaskType {
  /** Text generation. */
  CAUSAL_LM("AutoModelForCausalLM", List.of(), "text-generation"),
  /** Summarization, translation. */
  SEQ_2_SEQ_LM(
      "AutoModelForSeq2SeqLM", List.of(), "text2text-generation", "summarization", "translation"),
  /** Classification of a text. */
  SEQ_CLS(
      "AutoModelForSequenceClassification",
      List.of("classifier", "score"),
      "text-classification",
      "sentiment-analysis"),
  /** Classification of each token. */
  TOKEN_CLS(
      "AutoModelForTokenClassification", List.of("classifier", "score"), "token-classification"),
  /** Extractive question answering. */
  QUESTION_ANS("AutoModelForQuestionAnswering", List.of("qa_outputs"), "question-answering"),
  /** The bare transformer without a head. */
  FEATURE_EXTRACTION("AutoModel", List.of(), "feature-extraction"),
  /** Classification of an image; PEFT has no task type for it. */
  IMAGE_CLASSIFICATION("AutoModelForImageClassification", List.of(), "image-classification");

  private final String autoClass;
  private final List<String> heads;
  private final List<String> names;

  TaskType(String autoClass, List<String> heads, String... names) {
    this.autoClass = autoClass;
    this.heads = heads;
    this.names = List.of(names);
  }

  /**
   * Returns the task type in PEFT's {@code adapter_config.json}.
   *
   * @return such as {@code SEQ_CLS}; null if PEFT has none
   */
  public @Nullable String peftName() {
    return this == IMAGE_CLASSIFICATION ? null : name();
  }

  /**
   * Returns the class that loads models for the task in Transformers.
   *
   * @return such as {@code AutoModelForSequenceClassification}
   */
  public String autoClass() {
    return autoClass;
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
   * Returns the name of the task on the Hub, its pipeline tag.
   *
   * @return such as {@code text-generation}
   */
  public String task() {
    return names.getFirst();
  }

  /**
   * Finds the type of a task by its name on the Hub.
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
