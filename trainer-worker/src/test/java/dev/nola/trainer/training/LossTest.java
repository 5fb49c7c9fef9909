package dev.nola.trainer.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.model.Batch;
import dev.nola.trainer.model.Tensors;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class LossTest {
  private static final float[] LOGITS = {
    1.5f, -0.5f, 0.25f, 2, -1, 0.75f, 3, 0, 0.5f, 0.5f, -2, 1,
  };

  /** Recorded: {@code torch.nn.functional.cross_entropy(logits, targets, label_smoothing=…)}. */
  @ParameterizedTest
  @MethodSource
  void smoothedLossAndItsGradient_areThoseOfPyTorch(
      double smoothing, double expected, float[] gradient) {
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
      assertThat(logits.getGradient().toFloatArray()).containsExactly(gradient, within(1e-6f));
    }
  }

  static List<Arguments> smoothedLossAndItsGradient_areThoseOfPyTorch() {
    return List.of(
        arguments(
            0,
            2.866159,
            new float[] {
              0.1085578f,
              0.0146917f,
              0.0311023f,
              -0.1543518f,
              -0.3281308f,
              0.0299387f,
              0.2840501f,
              0.0141420f,
              0.0893462f,
              0.0893462f,
              -0.3259993f,
              0.1473070f
            }),
        arguments(
            0.1,
            2.782826,
            new float[] {
              0.1002244f,
              0.0063584f,
              0.0227690f,
              -0.1293518f,
              -0.3031307f,
              0.0216053f,
              0.2757167f,
              0.0058087f,
              0.0810129f,
              0.0810129f,
              -0.3009993f,
              0.1389736f
            }),
        arguments(
            0.4,
            2.532826,
            new float[] {
              0.0752245f,
              -0.0186416f,
              -0.0022310f,
              -0.0543518f,
              -0.2281308f,
              -0.0033947f,
              0.2507167f,
              -0.0191913f,
              0.0560129f,
              0.0560129f,
              -0.2259994f,
              0.1139736f
            }));
  }
}
