package dev.nola.trainer.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.model.Batch;
import dev.nola.trainer.model.Tensors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LossTest {
  private static final float[] LOGITS = {
    1.5f, -0.5f, 0.25f, 2, -1, 0.75f, 3, 0, 0.5f, 0.5f, -2, 1,
  };

  /** Recorded: {@code torch.nn.functional.cross_entropy(logits, targets, label_smoothing=…)}. */
  @ParameterizedTest
  @CsvSource({
    "0, 2.866159, 0.108557783, -0.154351816",
    "0.1, 2.782826, 0.100224443, -0.129351795",
    "0.4, 2.532826, 0.075224452, -0.054351807",
  })
  void smoothedLossAndItsGradient_areThoseOfPyTorch(
      double smoothing, double expected, double first, double target) {
    try (NDManager step = Tensors.newManager()) {
      Tensors.recordGradients(true);
      NDArray logits = Tensors.create(step, LOGITS, 3, 4);
      logits.setRequiresGradient(true);
      NDArray unused = Tensors.create(step, new float[] {1}, 1, 1);
      Minibatch batch =
          new Minibatch(new Batch(unused, unused), Tensors.create(step, new long[] {3, 0, 2}, 3));
      NDArray loss = Loss.mean(logits, batch, 3, smoothing);
      Tensors.backward(loss);
      Tensors.recordGradients(false);

      assertThat((double) loss.getFloat()).isCloseTo(expected, within(1e-5));
      float[] gradient = logits.getGradient().toFloatArray();
      assertThat((double) gradient[0]).isCloseTo(first, within(1e-6));
      assertThat((double) gradient[3]).isCloseTo(target, within(1e-6));
    }
  }
}
