package dev.nola.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Values of PyTorch's functions. */
class ActivationTest {
  @ParameterizedTest
  @CsvSource({
    "gelu, -0.00405022, -0.10021086, 0.18537344, 1.95449972",
    "gelu_new, -0.00363743, -0.10042843, 0.18537094, 1.95459771",
    "gelu_pytorch_tanh, -0.00363743, -0.10042843, 0.18537094, 1.95459771",
    "relu, 0, 0, 0.3, 2",
    "silu, -0.14227761, -0.27363828, 0.17233276, 1.76159406",
    "swish, -0.14227761, -0.27363828, 0.17233276, 1.76159406",
  })
  void functionOfAName_isThatOfPyTorch(String name, float a, float b, float c, float d) {
    try (NDManager manager = Tensors.newManager()) {
      assertThat(
              Activation.of(name)
                  .orElseThrow()
                  .apply(Tensors.create(manager, new float[] {-3, -1.5f, 0.3f, 2}, 4))
                  .toFloatArray())
          .containsExactly(new float[] {a, b, c, d}, within(1e-6f));
    }
  }

  @Test
  void siluInAnyThread_hasTheGradientOfPyTorch() throws Exception {
    // More calls than PyTorch takes before it would compile a graph, in a thread of their own.
    try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
      for (int call = 0; call < 4; call++) {
        assertThat(thread.submit(ActivationTest::siluGradient).get())
            .containsExactly(
                new float[] {-0.08810411f, -0.04129416f, 0.64778006f, 1.09078431f}, within(1e-6f));
      }
    }
  }

  private static float[] siluGradient() {
    try (NDManager manager = Tensors.newManager()) {
      NDArray x = Tensors.create(manager, new float[] {-3, -1.5f, 0.3f, 2}, 4);
      x.setRequiresGradient(true);
      Tensors.recordGradients(true);
      Tensors.backward(Activation.SILU.apply(x).sum());
      Tensors.recordGradients(false);
      return x.getGradient().toFloatArray();
    }
  }

  @Test
  void siluWithoutRecording_keepsNoGradient() {
    try (NDManager manager = Tensors.newManager()) {
      NDArray x = Tensors.create(manager, new float[] {1}, 1);
      x.setRequiresGradient(true);
      Tensors.recordGradients(false);
      assertThat(Activation.SILU.apply(x).hasGradient()).isFalse();
    }
  }
}
