package dev.nola.gpu.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class OptionsTest {
  private static final String USAGE =
      "usage: gpu/check [--bits-only] [--blocks N] [--repetitions N]";

  private static void requireRefusal(String message, String... args) {
    assertThatIllegalArgumentException().isThrownBy(() -> Options.parse(args)).withMessage(message);
  }

  @Test
  void parse_allOptions() {
    assertThat(Options.parse(new String[] {"v", "--bits-only", "--blocks", "2"}))
        .isEqualTo(new Options(Path.of("v"), true, 2, 50));
    assertThat(Options.parse(new String[] {"v", "--repetitions", "7"}))
        .isEqualTo(new Options(Path.of("v"), false, 0, 7));
  }

  @Test
  void parse_unknownArgument_refused() {
    requireRefusal("unknown argument: --block; " + USAGE, "v", "--block", "2");
    requireRefusal("unknown argument: w; " + USAGE, "v", "w");
    requireRefusal(
        "folder of the conformance vectors missing; gpu/check names it first", "--bits-only");
  }

  @Test
  void parse_invalidNumber_refused() {
    String message = "invalid --blocks: %s; must be a number from 1 to 999999999";
    requireRefusal(message.formatted("nothing"), "v", "--blocks");
    requireRefusal(message.formatted("0"), "v", "--blocks", "0");
    requireRefusal(message.formatted("two"), "v", "--blocks", "two");
  }
}
