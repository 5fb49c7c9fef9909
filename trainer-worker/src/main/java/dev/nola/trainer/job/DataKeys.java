package dev.nola.trainer.job;

import dev.nola.trainer.data.Bos;
import dev.nola.trainer.data.DataFiles;
import java.nio.file.Path;
import java.util.List;

/** The keys of {@code data}. */
final class DataKeys {
  private static final KeyTable KEYS = new KeyTable();

  static final Key<Format> FORMAT =
      KEYS.add(
          Key.required("data.format", Kind.lowerCase(Format.values()), "what the data files hold"));
  static final Key<Path> TRAIN =
      KEYS.add(
          Key.required(
              "data.train",
              Kind.file(),
              "file of training examples, which may end in .gz, or folder of images"));
  static final Key<Path> VALIDATION =
      KEYS.add(
          Key.alternative(
              "data.validation",
              Kind.file(),
              "file of validation examples, which may end in .gz, or folder of images"));
  static final Key<Double> VALIDATION_SHARE =
      KEYS.add(
          Key.alternative(
                  "data.validationShare",
                  Kind.share(),
                  "share of data.train that is not trained on, but evaluated; equal files are split"
                      + " equally")
              .onlyWith(FORMAT, "e2e", "jsonl", "tsv", "csv", "text", "chat", "images"));
  static final Key<Path> TRAIN_LABELS =
      KEYS.add(
          Key.required("data.trainLabels", Kind.file(), "the classes of data.train")
              .onlyWith(FORMAT, "idx"));
  static final Key<Path> VALIDATION_LABELS =
      KEYS.add(
          Key.required("data.validationLabels", Kind.file(), "the classes of data.validation")
              .onlyWith(FORMAT, "idx"));
  static final Key<Integer> MAX_TOKENS =
      KEYS.add(
          Key.optional(
                  "data.maxTokens",
                  Kind.whole(3),
                  null,
                  "maximum length of a text with its special tokens; longer ones are truncated, or"
                      + " skipped with task causal-lm (default: "
                      + DataFiles.DEFAULT_MAX_TOKENS
                      + ", or what the model allows)")
              .onlyWith(FORMAT, "e2e", "jsonl", "tsv", "csv", "text", "chat"));
  static final Key<Bos> BOS =
      KEYS.add(
          Key.optional(
                  "data.bos",
                  Kind.lowerCase(Bos.values()),
                  "tokenizer",
                  "what a text begins with: exactly what the tokenizer adds; that or else"
                      + " bos_token_id of config.json; or nothing")
              .onlyWith(ModelKeys.TASK, "causal-lm"));
  static final Key<Integer> TRAIN_EXAMPLES =
      KEYS.add(
          Key.optional(
              "data.trainExamples",
              Kind.whole(1),
              null,
              "use only the first N examples (default: all)"));
  static final Key<Integer> VALIDATION_EXAMPLES =
      KEYS.add(
          Key.optional(
              "data.validationExamples",
              Kind.whole(1),
              null,
              "use only the first N examples (default: all)"));
  static final Key<Integer> SHOTS =
      KEYS.add(
          Key.optional(
                  "data.shots",
                  Kind.whole(1),
                  null,
                  "number of training examples of each class, which are drawn at random (default:"
                      + " all)")
              .onlyWith(ModelKeys.TASK, "classification"));
  static final Key<Long> SEED =
      KEYS.add(
          Key.optional(
              "data.seed",
              Kind.seed(),
              null,
              "seed of data.shots, of the order of batches and of what training draws of images"
                  + " (default: seed)"));
  static final Key<String> PROMPT =
      KEYS.add(
          Key.optional(
                  "data.prompt", Kind.name(), "prompt", "field or column of the text to continue")
              .onlyWith(FORMAT, "jsonl", "csv")
              .onlyWith(ModelKeys.TASK, "causal-lm"));
  static final Key<String> COMPLETION =
      KEYS.add(
          Key.optional(
                  "data.completion",
                  Kind.name(),
                  "completion",
                  "field or column of the continuation to learn")
              .onlyWith(FORMAT, "jsonl", "csv")
              .onlyWith(ModelKeys.TASK, "causal-lm"));
  static final Key<String> MESSAGES =
      KEYS.add(
          Key.optional(
                  "data.messages",
                  Kind.name(),
                  "messages",
                  "field of a chat's messages, each with role and content; the answers of the"
                      + " assistant are learned, in the chat format that the tokenizer knows"
                      + " (ChatML or Llama 3; otherwise as ROLE: CONTENT)")
              .onlyWith(FORMAT, "chat")
              .onlyWith(ModelKeys.TASK, "causal-lm"));
  static final Key<String> TEXT =
      KEYS.add(
          Key.optional("data.text", Kind.name(), "text", "field or column of the text")
              .onlyWith(FORMAT, "jsonl", "tsv", "csv")
              .onlyWith(ModelKeys.TASK, "classification"));
  static final Key<String> LABEL =
      KEYS.add(
          Key.optional("data.label", Kind.name(), "label", "field or column of the class")
              .onlyWith(FORMAT, "jsonl", "tsv", "csv")
              .onlyWith(ModelKeys.TASK, "classification"));
  static final Key<List<String>> LABELS =
      KEYS.add(
          Key.optional(
                  "data.labels",
                  Kind.names(),
                  null,
                  "names of the classes by number; where the data files have numbers, 0 is the"
                      + " first (default: the classes in data.train, in alphabetical order or, if"
                      + " all are whole numbers, in theirs)")
              .onlyWith(ModelKeys.TASK, "classification"));

  /** All of them, in the order of the documentation. */
  static final List<Key<?>> ALL = KEYS.all();

  private DataKeys() {}
}
