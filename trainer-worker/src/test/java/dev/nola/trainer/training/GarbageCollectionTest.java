package dev.nola.trainer.training;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.re2j.Pattern;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.method.Adaptations;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.Method;
import dev.nola.trainer.method.Parameter;
import dev.nola.trainer.method.Recipe;
import dev.nola.trainer.method.Scaling;
import dev.nola.trainer.method.View;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/**
 * PyTorch keeps operands for the backward pass, and must not find them freed: DJL makes arrays of
 * numbers over memory that Java frees when it collects its garbage, even if it is still read.
 */
class GarbageCollectionTest {
  private static final Path MODELS = Path.of("src/test/resources/models");

  private static AdaptedWeights weights(BaseModel base, Method method) {
    Pattern all = Pattern.compile(".");
    Recipe recipe =
        new Recipe(
            method,
            all,
            new Recipe.Size(View.LAYER, 4, 8, 8),
            new Recipe.Bases(
                method == Method.LORA ? Generator.IDENTITY : Generator.SRHT, 5, false, false),
            Scaling.of(1.3),
            Recipe.Rounding.NONE);
    AdaptedWeights weights =
        new AdaptedWeights(base, Adaptations.of(base, recipe, 3), Kernels.scalar());
    // Where one factor is zero the other's gradient is, too.
    Random random = new Random(4);
    for (Parameter parameter : weights.parameters()) {
      float[] values = parameter.values();
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (0.1 * random.nextGaussian());
      }
    }
    return weights;
  }

  private static List<float[]> gradients(
      BaseModel base, Method method, List<? extends Example> examples, boolean collectGarbage)
      throws IOException {
    AdaptedWeights weights = weights(base, method);
    weights.prepare();
    try (NDManager step = Tensors.newManager()) {
      Tensors.recordGradients(true);
      weights.begin(step, true);
      Minibatch batch = Minibatch.of(step, examples);
      NDArray loss = Loss.mean(base.network().logits(batch.batch(), weights), batch, batch.count());
      if (collectGarbage) {
        collectGarbage();
      }
      Tensors.backward(loss);
      Tensors.recordGradients(false);
      weights.collect();
    }
    return weights.parameters().stream().map(Parameter::gradient).toList();
  }

  /** Returns when no memory is freed any more. */
  private static void collectGarbage() {
    BufferPoolMXBean direct =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .filter(pool -> pool.getName().equals("direct"))
            .findAny()
            .orElseThrow();
    long before = direct.getCount();
    for (int unchanged = 0; unchanged < 3; ) {
      System.gc();
      Thread.yield();
      long now = direct.getCount();
      unchanged = now == before ? unchanged + 1 : 0;
      before = now;
    }
  }

  private static void requireEqual(BaseModel base, Method method, List<? extends Example> examples)
      throws IOException {
    List<float[]> expected = gradients(base, method, examples, false);
    assertThat(expected).as("gradients are not all zero").anyMatch(values -> values[0] != 0);
    List<float[]> actual = gradients(base, method, examples, true);
    for (int p = 0; p < expected.size(); p++) {
      assertThat(actual.get(p)).as("%s, parameter %d", method, p).containsExactly(expected.get(p));
    }
  }

  @ParameterizedTest
  @EnumSource(value = Method.class, names = "HEAD", mode = Mode.EXCLUDE)
  void gradientsOfALlama_doNotDependOnGarbageCollection(Method method) throws IOException {
    List<Example> texts = new ArrayList<>();
    Random random = new Random(1);
    for (int length : List.of(5, 9)) {
      texts.add(new Example.Completion(random.ints(length, 0, 32).toArray(), 2));
    }
    try (BaseModel base = BaseModel.load(MODELS.resolve("llama-tied-grouped"))) {
      requireEqual(base, method, texts);
    }
  }

  @ParameterizedTest
  @EnumSource(Method.class)
  void gradientsOfABert_doNotDependOnGarbageCollection(Method method) throws IOException {
    List<Example> texts = new ArrayList<>();
    Random random = new Random(1);
    for (int length : List.of(5, 9)) {
      texts.add(new Example.Classified(random.ints(length, 0, 32).toArray(), random.nextInt(3)));
    }
    try (BaseModel base = BaseModel.load(MODELS.resolve("bert"))) {
      requireEqual(base, method, texts);
    }
  }

  @ParameterizedTest
  @EnumSource(value = Method.class, names = "HEAD", mode = Mode.EXCLUDE)
  void gradientsOfAnMlp_doNotDependOnGarbageCollection(Method method) throws IOException {
    List<Example> examples = new ArrayList<>();
    Random random = new Random(1);
    for (int i = 0; i < 6; i++) {
      float[] values = new float[14];
      for (int j = 0; j < values.length; j++) {
        values[j] = (float) random.nextGaussian();
      }
      examples.add(new Example.Features(values, random.nextInt(4)));
    }
    try (BaseModel base = BaseModel.fromScratch(new Mlp(List.of(14, 11, 4)))) {
      requireEqual(base, method, examples);
    }
  }
}
