package dev.nola.trainer.training;

import com.google.re2j.Pattern;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.DType;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.job.Schedule;
import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.method.Adaptations;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.Method;
import dev.nola.trainer.method.Recipe;
import dev.nola.trainer.method.Scaling;
import dev.nola.trainer.method.View;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.FloatElements;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * Measures the cost of a training step relative to LoRA's of the same rank (the paper's table 2):
 * models of random weights, query and value projections adapted, r = 8, k = l = 256. Variants take
 * turns, so that other load affects all of them; the first steps are not counted. Named variants
 * run alone, for their peak memory.
 */
public final class StepBenchmark {
  private static final int RANK = 8;
  private static final int COEFFICIENTS = 256;
  private static final int TOKENS = 128;
  private static final int WARM_UP = 4;
  private static final Pattern TARGETS = Pattern.compile("\\.(q_proj|v_proj)\\.weight$");

  private StepBenchmark() {}

  /** Sizes of a Llama. */
  private enum Size {
    MINILM(6, 384, 1024, 12, 30_522, 8),
    GPT2(12, 768, 2048, 12, 50_257, 4);

    final int layers;
    final int hidden;
    final int intermediate;
    final int heads;
    final int vocabulary;
    final int batch;

    Size(int layers, int hidden, int intermediate, int heads, int vocabulary, int batch) {
      this.layers = layers;
      this.hidden = hidden;
      this.intermediate = intermediate;
      this.heads = heads;
      this.vocabulary = vocabulary;
      this.batch = batch;
    }
  }

  /** The variants that are compared; the first is the reference. */
  private enum Variant {
    LORA(Method.LORA, Generator.IDENTITY, false, false),
    SRHT_OWN(Method.NOLA, Generator.SRHT, false, false),
    SRHT_SHARED(Method.NOLA, Generator.SRHT, true, false),
    UNIFORM8_OWN(Method.NOLA, Generator.UNIFORM8, false, false),
    UNIFORM8_SHARED(Method.NOLA, Generator.UNIFORM8, true, false),
    STORED_OWN(Method.NOLA, Generator.UNIFORM8, false, true),
    STORED_SHARED(Method.NOLA, Generator.UNIFORM8, true, true);

    final Method method;
    final Generator generator;
    final boolean shared;
    final boolean stored;

    Variant(Method method, Generator generator, boolean shared, boolean stored) {
      this.method = method;
      this.generator = generator;
      this.shared = shared;
      this.stored = stored;
    }

    Trainer trainer(BaseModel base, Size size, List<Example> examples) {
      AdaptedWeights weights =
          new AdaptedWeights(
              base,
              Adaptations.of(
                  base,
                  new Recipe(
                      method,
                      TARGETS,
                      new Recipe.Size(View.LAYER, RANK, COEFFICIENTS, COEFFICIENTS),
                      new Recipe.Bases(generator, 1, shared, stored),
                      Scaling.of(1),
                      Recipe.Rounding.NONE),
                  0),
              Kernels.chosen());
      weights.useGpu(System.err::println);
      return new Trainer(
          new Backpropagation(base.network(), weights, false, 0),
          new BatchOrder(examples, size.batch, 1),
          new AdamW(new TrainingJob.AdamWConstants(0.9, 0.999, 1e-8, 0, 1), weights.parameters()),
          new Schedule(Schedule.Shape.CONSTANT, 1e-3, 0, 1_000_000),
          size.batch);
    }
  }

  /**
   * @param arguments MINILM or GPT2, threads, steps, and variants; all of them if none is named
   */
  public static void main(String[] arguments) throws IOException {
    Size size = Size.valueOf(arguments[0]);
    Tensors.use(System.getProperty("device", "CPU"), Integer.parseInt(arguments[1]));
    int steps = Integer.parseInt(arguments[2]);
    List<Variant> variants =
        arguments.length > 3
            ? Arrays.stream(arguments).skip(3).map(Variant::valueOf).toList()
            : List.of(Variant.values());
    Path folder = Files.createTempDirectory("nola-step");
    try {
      write(folder, size);
      try (BaseModel base = BaseModel.load(folder)) {
        run(base, size, steps, variants);
      }
    } finally {
      for (String file : List.of("model.safetensors", "config.json")) {
        Files.deleteIfExists(folder.resolve(file));
      }
      Files.delete(folder);
    }
  }

  private static void run(BaseModel base, Size size, int steps, List<Variant> variants)
      throws IOException {
    List<Example> examples = examples(size);
    List<Trainer> trainers =
        variants.stream().map(variant -> variant.trainer(base, size, examples)).toList();
    double[][] millis = new double[variants.size()][steps];
    for (int step = 1; step <= WARM_UP + steps; step++) {
      for (int v = 0; v < variants.size(); v++) {
        long start = System.nanoTime();
        trainers.get(v).step(step);
        if (step > WARM_UP) {
          millis[v][step - WARM_UP - 1] = (System.nanoTime() - start) / 1e6;
        }
      }
    }
    System.out.printf(
        "%s: %d layers of %d, batches of %d × %d tokens, %d steps each%n",
        size, size.layers, size.hidden, size.batch, TOKENS, steps);
    System.out.println("variant          ms/step   (least to most)    × first   (quartiles)");
    for (int v = 0; v < variants.size(); v++) {
      double[] ratios = new double[steps];
      for (int i = 0; i < steps; i++) {
        ratios[i] = millis[v][i] / millis[0][i];
      }
      double[] sorted = millis[v].clone();
      Arrays.sort(sorted);
      Arrays.sort(ratios);
      System.out.printf(
          Locale.ROOT,
          "%-16s %7.0f   (%5.0f to %5.0f)   %7.3f   (%.3f to %.3f)%n",
          variants.get(v),
          sorted[steps / 2],
          sorted[0],
          sorted[steps - 1],
          ratios[steps / 2],
          ratios[steps / 4],
          ratios[3 * steps / 4]);
    }
    Path status = Path.of("/proc/self/status");
    if (Files.exists(status)) {
      Files.readAllLines(status).stream()
          .filter(line -> line.startsWith("VmHWM"))
          .forEach(line -> System.out.println("peak memory" + line.substring(5)));
    }
  }

  private static List<Example> examples(Size size) {
    Random random = new Random(3);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      examples.add(new Example.Completion(random.ints(TOKENS, 0, size.vocabulary).toArray(), 1));
    }
    return examples;
  }

  private static void write(Path folder, Size size) throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type": "llama", "num_hidden_layers": %d, "num_attention_heads": %d,
         "rms_norm_eps": 1e-5, "tie_word_embeddings": true}
        """
            .formatted(size.layers, size.heads));
    List<Slot> slots = new ArrayList<>();
    slots.add(slot("model.embed_tokens.weight", size.vocabulary, size.hidden));
    slots.add(slot("model.norm.weight", size.hidden));
    for (int i = 0; i < size.layers; i++) {
      String prefix = "model.layers." + i + ".";
      for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
        slots.add(slot(prefix + "self_attn." + name + ".weight", size.hidden, size.hidden));
      }
      slots.add(slot(prefix + "mlp.gate_proj.weight", size.intermediate, size.hidden));
      slots.add(slot(prefix + "mlp.up_proj.weight", size.intermediate, size.hidden));
      slots.add(slot(prefix + "mlp.down_proj.weight", size.hidden, size.intermediate));
      slots.add(slot(prefix + "input_layernorm.weight", size.hidden));
      slots.add(slot(prefix + "post_attention_layernorm.weight", size.hidden));
    }
    Random random = new Random(2);
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(folder.resolve("model.safetensors"), slots, Map.of())) {
      for (Slot slot : slots) {
        float[] values = new float[(int) (slot.bytes() / 4)];
        for (int i = 0; i < values.length; i++) {
          values[i] = slot.shape().size() == 1 ? 1 : (float) (0.02 * random.nextGaussian());
        }
        writer.write(slot.name(), FloatElements.narrowed(DType.F32, values));
      }
    }
  }

  private static Slot slot(String name, long... shape) {
    long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    return new Slot(name, "F32", Arrays.stream(shape).boxed().toList(), 4 * elements);
  }
}
