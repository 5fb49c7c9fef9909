package dev.nola.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {
  @ParameterizedTest
  @ValueSource(ints = {0, '\t', '\n', 0x1B, 0x7F, 0x9B, 0xAD, 0x202E, 0x2028, 0x2029, 0xE0001})
  void charactersThatActOnATerminalAreControl(int codePoint) {
    assertThat(Printable.isControl(codePoint)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {' ', 'a', '~', 0xA0, 'é', '漢', 0x1F600, 0xD83D})
  void visibleCharactersAreNotControl(int codePoint) {
    assertThat(Printable.isControl(codePoint)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "'a\u001B[2Jb', 'a [2Jb'",
    "'a\r\n\tb\u202E\u2028c', 'a b c'",
    "'\uDB40\uDC01x\u0000', ' x '",
    "'plain, é, 漢, \uD83D\uDE00', 'plain, é, 漢, \uD83D\uDE00'"
  })
  void runOfControlCharactersBecomesOneSpace(String text, String line) {
    assertThat(Printable.line(text)).isEqualTo(line);
  }

  @Test
  void textOfSeveralLinesKeepsItsLineFeedsAndTabs() {
    assertThat(Printable.lines("a\r\n\tb\u001B[2J\u202E\u2028c\n")).isEqualTo("a \n\tb [2J c\n");
  }

  @Test
  void emptyTextStaysEmpty() {
    assertThat(Printable.line("")).isEmpty();
  }
}
