package dev.nola.trainer.job;

import com.google.re2j.Pattern;
import dev.nola.client.peft.Pooling;
import dev.nola.format.DType;
import dev.nola.generator.Generator;
import dev.nola.text.Label;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.method.Method;
import dev.nola.trainer.method.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * All keys of job files: the one table that the reader, the schema and the README's table are made
 * from.
 */
final class Keys {
  private static final List<Key<?>> TABLE = new ArrayList<>();

  /** Pattern of all tensors that can be adapted: those that the forward pass multiplies by. */
  static final Pattern ALL_LINEAR = Pattern.compile(TargetSets.ALL_LINEAR);

  /** Limit of exact sums, and of the transform's columns (SPEC.md, sections 6 and 7.1). */
  private static final String MAX_COEFFICIENTS =
      String.format(
          Locale.ROOT,
          "maximum with method.generator philox-srht: the largest power of two up to the factor's"
              + " number of elements; otherwise what sums exactly at 16 bits: %,d with"
              + " philox-uniform24, %,d with philox-uniform8, any number with philox-rademacher",
          maxCoefficients(Generator.UNIFORM24),
          maxCoefficients(Generator.UNIFORM8));

  static final Key<Path> BASE =
      add(
          Key.alternative(
              "model.base",
              Kind.file(),
              "folder of a pre-trained model: config.json, tokenizer.json and safetensors"));
  static final Key<String> BASE_NAME =
      add(
          Key.optional(
                  "model.baseName",
                  Kind.text(),
                  "",
                  "name of the base model in the adapter file, such as that of its repository")
              .onlyWith(BASE));
  static final Key<List<Integer>> MLP =
      add(
          Key.alternative(
              "model.mlp",
              Kind.widths(),
              "linear layers with ReLU between them, trained from scratch: widths of the input,"
                  + " every hidden layer and the output"));

  static final Key<TrainingJob.Task> TASK =
      add(
          Key.required(
              "task",
              Kind.choice(List.of(TrainingJob.Task.values()), TrainingJob.Task::label),
              "what the model learns to do"));
  static final Key<Pooling> POOLING =
      add(
          Key.optional(
                  "model.pooling",
                  Kind.choice(List.of(Pooling.values()), Pooling::label),
                  null,
                  "what a classifier sees of a text: its first token (bert), its last (llama), or"
                      + " the mean over all (bert), which cannot be exported (default: as in"
                      + " Transformers, cls or last-token)")
              .onlyWith(BASE)
              .onlyWith(TASK, "classification"));
  static final Key<Long> SEED =
      add(
          Key.optional(
              "seed",
              Kind.seed(),
              0,
              "seed of the bases, the initial values and the order of batches"));

  static final Key<Format> FORMAT =
      add(Key.required("data.format", lowerCase(Format.values()), "what the data files hold"));
  static final Key<Path> TRAIN =
      add(Key.required("data.train", Kind.file(), "file of training examples; may end in .gz"));
  static final Key<Path> VALIDATION =
      add(
          Key.alternative(
              "data.validation", Kind.file(), "file of validation examples; may end in .gz"));
  static final Key<Double> VALIDATION_SHARE =
      add(
          Key.alternative(
                  "data.validationShare",
                  Kind.share(),
                  "share of data.train that is not trained on, but evaluated; equal files are split"
                      + " equally")
              .onlyWith(FORMAT, "e2e", "jsonl", "tsv", "csv", "text", "chat"));
  static final Key<Path> TRAIN_LABELS =
      add(
          Key.required("data.trainLabels", Kind.file(), "the classes of data.train")
              .onlyWith(FORMAT, "idx"));
  static final Key<Path> VALIDATION_LABELS =
      add(
          Key.required("data.validationLabels", Kind.file(), "the classes of data.validation")
              .onlyWith(FORMAT, "idx"));
  static final Key<Integer> MAX_TOKENS =
      add(
          Key.optional(
                  "data.maxTokens",
                  Kind.whole(3),
                  null,
                  "maximum length of a text with its special tokens; longer ones are truncated, or"
                      + " skipped with task causal-lm (default: "
                      + DataFiles.DEFAULT_MAX_TOKENS
                      + ", or what the model allows)")
              .onlyWith(FORMAT, "e2e", "jsonl", "tsv", "csv", "text", "chat"));
  static final Key<Integer> TRAIN_EXAMPLES =
      add(
          Key.optional(
              "data.trainExamples",
              Kind.whole(1),
              null,
              "use only the first N examples (default: all)"));
  static final Key<Integer> VALIDATION_EXAMPLES =
      add(
          Key.optional(
              "data.validationExamples",
              Kind.whole(1),
              null,
              "use only the first N examples (default: all)"));
  static final Key<String> PROMPT =
      add(
          Key.optional(
                  "data.prompt", Kind.name(), "prompt", "field or column of the text to continue")
              .onlyWith(FORMAT, "jsonl", "csv")
              .onlyWith(TASK, "causal-lm"));
  static final Key<String> COMPLETION =
      add(
          Key.optional(
                  "data.completion",
                  Kind.name(),
                  "completion",
                  "field or column of the continuation to learn")
              .onlyWith(FORMAT, "jsonl", "csv")
              .onlyWith(TASK, "causal-lm"));
  static final Key<String> MESSAGES =
      add(
          Key.optional(
                  "data.messages",
                  Kind.name(),
                  "messages",
                  "field of a chat's messages, each with role and content; the answers of the"
                      + " assistant are learned, in the chat format that the tokenizer knows"
                      + " (ChatML or Llama 3; otherwise as ROLE: CONTENT)")
              .onlyWith(FORMAT, "chat")
              .onlyWith(TASK, "causal-lm"));
  static final Key<String> TEXT =
      add(
          Key.optional("data.text", Kind.name(), "text", "field or column of the text")
              .onlyWith(FORMAT, "jsonl", "tsv", "csv")
              .onlyWith(TASK, "classification"));
  static final Key<String> LABEL =
      add(
          Key.optional("data.label", Kind.name(), "label", "field or column of the class")
              .onlyWith(FORMAT, "jsonl", "tsv", "csv")
              .onlyWith(TASK, "classification"));
  static final Key<List<String>> LABELS =
      add(
          Key.optional(
                  "data.labels",
                  Kind.names(),
                  null,
                  "names of the classes by number; where the data files have numbers, 0 is the"
                      + " first (default: the classes in data.train, in alphabetical order or, if"
                      + " all are whole numbers, in theirs)")
              .onlyWith(TASK, "classification"));

  static final Key<Method> METHOD =
      add(Key.required("method.name", lowerCase(Method.values()), "what is trained"));
  static final Key<Pattern> TARGETS =
      add(
          Key.optional(
                  "method.targets",
                  Kind.patterns(TargetSets.PATTERNS),
                  "qv",
                  "tensors to adapt: query and value projections, those of the MLP blocks, all that"
                      + " can be adapted, or all whose names match the pattern")
              .onlyWith(METHOD, "nola", "pranc", "lora")
              .onlyWith(BASE));
  static final Key<Integer> RANK =
      add(
          Key.optional(
                  "method.rank",
                  Kind.whole(1),
                  8,
                  "rank r of each target's ΔW; values above its smaller side add nothing. A factor"
                      + " has r·rows or r·columns elements, at most 2³¹−1, or 2³⁰ with"
                      + " method.generator philox-srht")
              .onlyWith(METHOD, "nola", "lora"));
  static final Key<Integer> K =
      add(
          Key.optional(
                  "method.k",
                  Kind.whole(1),
                  Recipe.Size.DEFAULT_COEFFICIENTS,
                  "number of coefficients of a target's factor A, which has r·rows elements, or of"
                      + " PRANC's ΔW, which has rows·columns; "
                      + MAX_COEFFICIENTS)
              .onlyWith(METHOD, "nola", "pranc"));
  static final Key<Integer> L =
      add(
          Key.optional(
                  "method.l",
                  Kind.whole(1),
                  Recipe.Size.DEFAULT_COEFFICIENTS,
                  "number of coefficients of a target's factor B, which has r·columns elements;"
                      + " maximum as for method.k")
              .onlyWith(METHOD, "nola"));
  static final Key<Generator> GENERATOR =
      add(
          Key.optional(
                  "method.generator",
                  Kind.choice(Generator.PSEUDORANDOM, Generator::label),
                  Generator.SRHT.label(),
                  "generator of the bases")
              .onlyWith(METHOD, "nola", "pranc"));
  static final Key<Boolean> SHARED_BASIS =
      add(
          Key.optional(
                  "method.basis",
                  Kind.choice(List.of(false, true), shared -> shared ? "shared" : "own"),
                  "own",
                  "whether each target has its own basis, or all share one")
              .onlyWith(METHOD, "nola", "pranc"));
  static final Key<Boolean> STORED_BASIS =
      add(
          Key.optional(
                  "method.storedBasis",
                  Kind.flag(),
                  false,
                  "whether bases are kept in memory as f32, 4·k bytes per element of a factor,"
                      + " instead of being generated in every step; for comparisons")
              .onlyWith(METHOD, "nola", "pranc"));
  static final Key<Double> SCALING =
      add(
          Key.optional(
                  "method.scaling",
                  Kind.positive(),
                  null,
                  "c in the method's formula (README.md, Methods), the alpha of LoRA (default: 1;"
                      + " 2·rank for LoRA)")
              .onlyWith(METHOD, "nola", "pranc", "lora"));
  static final Key<Integer> BITS =
      add(
          Key.optional(
                  "method.bits",
                  Kind.whole(1, Generator.MAX_BITS),
                  null,
                  "bits of a coefficient in the adapter file; LoRA's coefficients are the elements"
                      + " of its factors (default: 8; 16 for LoRA)")
              .onlyWith(METHOD, "nola", "pranc", "lora"));
  static final Key<Boolean> QUANTIZATION_AWARE =
      add(
          Key.optional(
                  "method.quantizationAware",
                  Kind.flag(),
                  false,
                  "whether training already rounds the coefficients to method.bits")
              .onlyWith(METHOD, "nola", "pranc", "lora"));
  static final Key<DType> DENSE_TYPE =
      add(
          Key.optional(
              "method.denseType",
              lowerCase(DType.values()),
              "f16",
              "element type in the adapter file of tensors that are stored whole, such as a"
                  + " classifier"));

  static final Key<Double> LEARNING_RATE =
      add(
          Key.required(
              "optimizer.learningRate",
              Kind.positive(),
              "peak learning rate, reached after the warm-up"));
  static final Key<Schedule.Shape> SCHEDULE =
      add(
          Key.optional(
              "optimizer.schedule",
              lowerCase(Schedule.Shape.values()),
              "linear",
              "learning rate after the warm-up: constant, or falling to 0 linearly or half a"
                  + " cosine"));
  static final Key<Integer> WARMUP =
      add(
          Key.optional(
              "optimizer.warmup",
              Kind.whole(0),
              0,
              "number of steps in which the learning rate rises linearly from 0"));
  static final Key<Double> BETA1 =
      add(
          Key.optional(
              "optimizer.beta1", Kind.belowOne(), 0.9, "AdamW's β₁, for the mean of the gradient"));
  static final Key<Double> BETA2 =
      add(
          Key.optional(
              "optimizer.beta2", Kind.belowOne(), 0.999, "AdamW's β₂, for the mean of its square"));
  static final Key<Double> EPSILON =
      add(
          Key.optional(
              "optimizer.epsilon", Kind.positive(), 1e-8, "AdamW's ε, added to the square root"));
  static final Key<Double> WEIGHT_DECAY =
      add(
          Key.optional(
              "optimizer.weightDecay",
              Kind.notNegative(),
              0.0,
              "weight decay of every parameter, multiplied by the learning rate"));
  static final Key<Double> CLIP =
      add(
          Key.optional(
              "optimizer.clip",
              Kind.notNegative(),
              1.0,
              "maximum norm of the whole gradient; 0 = no limit"));

  static final Key<Integer> BATCH =
      add(Key.optional("run.batch", Kind.whole(1), 8, "examples per step"));
  static final Key<Integer> MICRO_BATCH =
      add(
          Key.optional(
              "run.microBatch",
              Kind.whole(1),
              null,
              "examples in memory at a time (default: the whole batch)"));
  static final Key<Integer> STEPS =
      add(Key.alternative("run.steps", Kind.whole(1), "number of steps"));
  static final Key<Integer> EPOCHS =
      add(Key.alternative("run.epochs", Kind.whole(1), "number of passes over all examples"));
  static final Key<Integer> EVALUATE_EVERY =
      add(
          Key.optional(
              "run.evaluateEvery",
              Kind.whole(0),
              0,
              "steps between evaluations; 0 = only one at the end"));
  static final Key<Integer> CHECKPOINT_EVERY =
      add(
          Key.optional(
              "run.checkpointEvery", Kind.whole(0), 0, "steps between checkpoints; 0 = none"));
  static final Key<Integer> THREADS =
      add(Key.optional("run.threads", Kind.whole(0, 1024), 0, "CPU threads; 0 = all available"));
  static final Key<TrainingJob.Device> DEVICE =
      add(
          Key.optional(
              "run.device",
              lowerCase(TrainingJob.Device.values()),
              "auto",
              "device of the model; auto = cuda if there is a GPU"));

  static final Key<String> DESCRIPTION =
      add(Key.optional("metadata.description", Kind.text(), "", "description of the adapter"));
  static final Key<String> LICENSE =
      add(
          Key.optional(
              "metadata.license", Kind.text(), "", "licence of the adapter, an SPDX expression"));
  static final Key<List<String>> TAGS =
      add(Key.optional("metadata.tags", Kind.texts(), List.of(), "tags to find the adapter by"));

  /** All keys, in the order of the documentation. */
  static final List<Key<?>> ALL = List.copyOf(TABLE);

  /** Groups of keys of which a file has exactly one. */
  static final List<List<Key<?>>> ALTERNATIVES =
      List.of(List.of(BASE, MLP), List.of(VALIDATION, VALIDATION_SHARE), List.of(STEPS, EPOCHS));

  private Keys() {}

  /** Returns the limit for a factor of any size; training takes coefficients at 16 bits. */
  static long maxCoefficients(Generator generator) {
    return generator.maxCoefficients(generator.maxLength(), Generator.MAX_BITS);
  }

  private static <T> Key<T> add(Key<T> key) {
    TABLE.add(key);
    return key;
  }

  private static <E extends Enum<E>> Kind<E> lowerCase(E[] values) {
    return Kind.choice(List.of(values), Label::of);
  }
}
