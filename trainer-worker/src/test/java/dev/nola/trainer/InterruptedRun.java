package dev.nola.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.training.TrainingRun;
import java.nio.file.Path;

/** A training that is interrupted and resumed. */
final class InterruptedRun {
  private static final int STEP = 30;

  private InterruptedRun() {}

  /** Requires that a run interrupted in step 30 and resumed gives the bytes of a whole one. */
  static TrainingRun.Result requireSameBytes(TrainingJob job, Path whole) throws Exception {
    TrainingRun.Result result = new TrainingRun(job, whole, false, (_, _, _) -> {}).run();
    Path parts = whole.resolveSibling("parts.nola");
    TrainingRun.Listener interruption =
        (step, _, _) -> {
          if (step == STEP) {
            Thread.currentThread().interrupt();
          }
        };
    assertThatExceptionOfType(InterruptedException.class)
        .isThrownBy(() -> new TrainingRun(job, parts, false, interruption).run());
    new TrainingRun(job, parts, true, (_, _, _) -> {}).run();
    assertThat(parts).hasSameBinaryContentAs(whole);
    return result;
  }
}
