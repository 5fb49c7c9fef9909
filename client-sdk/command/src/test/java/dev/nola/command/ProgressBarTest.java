package dev.nola.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  @Test
  void withoutATerminal_aLineIsPrintedFromTimeToTime() {
    List<String> lines = new ArrayList<>();
    long now = System.nanoTime();
    try (ProgressBar steps = new ProgressBar("train", false, null, lines::add);
        ProgressBar bytes = new ProgressBar("pull", true, null, lines::add)) {
      steps.update(1, 100, " loss 2.5000");
      steps.printLine(2, 100, " loss 2.4000", now + Duration.ofSeconds(31).toNanos());
      steps.printLine(3, 100, " loss 2.3000", now + Duration.ofSeconds(32).toNanos());
      bytes.printLine(1_500_000, 3_000_000, "", now + Duration.ofSeconds(31).toNanos());
    }
    assertThat(lines)
        .containsExactly("train: step 2 of 100, loss 2.4000", "pull: 1.5 MB of 3.0 MB");
  }
}
