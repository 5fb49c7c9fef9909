package dev.nola.trainer.job;

import dev.nola.client.peft.Pooling;
import dev.nola.trainer.model.BaseType;
import dev.nola.trainer.model.ResNet;
import java.nio.file.Path;
import java.util.List;

/** The keys of the model and the task, and the seed. */
final class ModelKeys {
  private static final KeyTable KEYS = new KeyTable();

  static final Key<Path> BASE =
      KEYS.add(
          Key.alternative(
              "model.base",
              Kind.file(),
              "folder of a pre-trained model: config.json, tokenizer.json and safetensors"));
  static final Key<String> BASE_NAME =
      KEYS.add(
          Key.optional(
                  "model.baseName",
                  Kind.text(),
                  "",
                  "name of the base model in the adapter file, such as that of its repository")
              .onlyWith(BASE));
  static final Key<BaseType> BASE_TYPE =
      KEYS.add(
          Key.optional(
                  "model.baseType",
                  Kind.lowerCase(BaseType.values()),
                  "f32",
                  "how training keeps the base model's matrices in memory: exactly, or as 8-bit"
                      + " whole numbers with a scale for each row, a quarter of the memory, with"
                      + " gradient checkpointing; not with method.name full")
              .onlyWith(BASE));
  static final Key<List<Integer>> MLP =
      KEYS.add(
          Key.alternative(
              "model.mlp",
              Kind.widths(),
              "linear layers with ReLU between them, trained from scratch: widths of the input,"
                  + " every hidden layer and the output"));
  static final Key<ResNet.Kind> NETWORK =
      KEYS.add(
          Key.alternative(
              "model.network",
              Kind.lowerCase(ResNet.Kind.values()),
              "a residual network, trained from scratch on images: resnet18 for those of 224×224,"
                  + " resnet20 for those of 32×32"));
  static final Key<TrainingJob.Task> TASK =
      KEYS.add(
          Key.required(
              "task",
              Kind.choice(List.of(TrainingJob.Task.values()), TrainingJob.Task::label),
              "what the model learns to do"));
  static final Key<Pooling> POOLING =
      KEYS.add(
          Key.optional(
                  "model.pooling",
                  Kind.choice(List.of(Pooling.values()), Pooling::label),
                  null,
                  "what a classifier sees of a text: its first token (bert, roberta), its last"
                      + " (llama), or the mean over all (bert, roberta), which cannot be exported"
                      + " (default: as in Transformers, cls or last-token)")
              .onlyWith(BASE)
              .onlyWith(TASK, "classification"));
  static final Key<Long> SEED =
      KEYS.add(
          Key.optional(
              "seed",
              Kind.seed(),
              0,
              "seed of the bases, and of all that data.seed and method.initialSeed do not set"));

  /** All of them, in the order of the documentation. */
  static final List<Key<?>> ALL = KEYS.all();

  private ModelKeys() {}
}
