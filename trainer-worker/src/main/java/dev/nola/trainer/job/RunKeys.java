package dev.nola.trainer.job;

import java.util.List;

/** The keys of {@code optimizer}, {@code run} and {@code metadata}. */
final class RunKeys {
  private static final KeyTable KEYS = new KeyTable();

  static final Key<Double> LEARNING_RATE =
      KEYS.add(
          Key.optional(
              "optimizer.learningRate",
              Kind.positive(),
              null,
              "peak learning rate, reached after the warm-up; required except with method.name"
                  + " nola (default: 0.1)"));
  static final Key<Schedule.Shape> SCHEDULE =
      KEYS.add(
          Key.optional(
              "optimizer.schedule",
              Kind.lowerCase(Schedule.Shape.values()),
              "linear",
              "learning rate after the warm-up: constant, or falling to 0 linearly or half a"
                  + " cosine"));
  static final Key<Schedule.Warmup> WARMUP =
      KEYS.add(
          Key.optional(
              "optimizer.warmup",
              Kind.warmup(),
              null,
              "number of steps in which the learning rate rises linearly from 0; {share: 0.1} is a"
                  + " tenth of all steps (default: {share: 0.03} with method.name nola, otherwise"
                  + " 0)"));
  static final Key<Double> BETA1 =
      KEYS.add(
          Key.optional(
              "optimizer.beta1", Kind.belowOne(), 0.9, "AdamW's β₁, for the mean of the gradient"));
  static final Key<Double> BETA2 =
      KEYS.add(
          Key.optional(
              "optimizer.beta2", Kind.belowOne(), 0.999, "AdamW's β₂, for the mean of its square"));
  static final Key<Double> EPSILON =
      KEYS.add(
          Key.optional(
              "optimizer.epsilon", Kind.positive(), 1e-8, "AdamW's ε, added to the square root"));
  static final Key<Double> WEIGHT_DECAY =
      KEYS.add(
          Key.optional(
              "optimizer.weightDecay",
              Kind.notNegative(),
              0.0,
              "weight decay of every parameter, multiplied by the learning rate"));
  static final Key<Double> CLIP =
      KEYS.add(
          Key.optional(
              "optimizer.clip",
              Kind.notNegative(),
              1.0,
              "maximum norm of the whole gradient; 0 = no limit"));
  static final Key<Integer> BATCH =
      KEYS.add(Key.optional("run.batch", Kind.whole(1), 8, "examples per step"));
  static final Key<Integer> MICRO_BATCH =
      KEYS.add(
          Key.optional(
              "run.microBatch",
              Kind.whole(1),
              null,
              "examples in memory at a time (default: the whole batch)"));
  static final Key<Double> LABEL_SMOOTHING =
      KEYS.add(
          Key.optional(
              "run.labelSmoothing",
              Kind.belowOne(),
              0.0,
              "probability that the loss of training spreads evenly over all tokens or classes, as"
                  + " label_smoothing of PyTorch; evaluations are without"));
  static final Key<Integer> STEPS =
      KEYS.add(Key.alternative("run.steps", Kind.whole(1), "number of steps"));
  static final Key<Integer> EPOCHS =
      KEYS.add(Key.alternative("run.epochs", Kind.whole(1), "number of passes over all examples"));
  static final Key<Integer> EVALUATE_EVERY =
      KEYS.add(
          Key.optional(
              "run.evaluateEvery",
              Kind.whole(0),
              0,
              "steps between evaluations; 0 = only one at the end"));
  static final Key<Integer> CHECKPOINT_EVERY =
      KEYS.add(
          Key.optional(
              "run.checkpointEvery", Kind.whole(0), 0, "steps between checkpoints; 0 = none"));
  static final Key<TrainingJob.Repeat> REPEAT =
      KEYS.add(
          Key.optional(
              "run.repeat",
              Kind.repeat(),
              1,
              "number of runs, each with other data.seed and method.initialSeed, with mean and"
                  + " standard deviation of their results; {samples: 4, starts: 3} makes three runs with each of four"
                  + " data.seed; with nola train alone"));
  static final Key<Integer> THREADS =
      KEYS.add(
          Key.optional("run.threads", Kind.whole(0, 1024), 0, "CPU threads; 0 = all available"));
  static final Key<TrainingJob.Device> DEVICE =
      KEYS.add(
          Key.optional(
              "run.device",
              Kind.lowerCase(TrainingJob.Device.values()),
              "auto",
              "device of the model; auto = cuda if there is a GPU"));
  static final Key<Boolean> GRADIENT_CHECKPOINTING =
      KEYS.add(
          Key.optional(
                  "run.gradientCheckpointing",
                  Kind.flag(),
                  null,
                  "whether the backward pass computes each block again instead of keeping its"
                      + " arrays: a fraction of the memory, a third more time, the same gradients"
                      + " (default: true with model.baseType int8, otherwise false)")
              .onlyWith(ModelKeys.BASE));
  static final Key<String> DESCRIPTION =
      KEYS.add(Key.optional("metadata.description", Kind.text(), "", "description of the adapter"));
  static final Key<String> LICENSE =
      KEYS.add(
          Key.optional(
              "metadata.license", Kind.text(), "", "licence of the adapter, an SPDX expression"));
  static final Key<List<String>> TAGS =
      KEYS.add(
          Key.optional("metadata.tags", Kind.texts(), List.of(), "tags to find the adapter by"));

  /** All of them, in the order of the documentation. */
  static final List<Key<?>> ALL = KEYS.all();

  private RunKeys() {}
}
