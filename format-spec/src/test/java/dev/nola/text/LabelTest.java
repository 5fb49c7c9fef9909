package dev.nola.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;

class LabelTest {
  private enum State {
    SELF_VERIFIED,
    INVALID
  }

  @Test
  void labelIsLowerCaseWithHyphens() {
    assertThat(Label.of(State.SELF_VERIFIED)).isEqualTo("self-verified");
  }

  @Test
  void labelIsTheSameInEveryLocale() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.of("tr"));
    try {
      assertThat(Label.of(State.INVALID)).isEqualTo("invalid");
    } finally {
      Locale.setDefault(before);
    }
  }
}
