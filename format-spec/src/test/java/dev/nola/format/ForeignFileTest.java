package dev.nola.format;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ForeignFileTest {
  private static String guess(String start) {
    return ForeignFile.guess(Arrays.copyOf(start.getBytes(ISO_8859_1), 32));
  }

  @Test
  void knownStart_isNamed() {
    assertThat(guess("PK\3\4")).isEqualTo("a zip archive");
    assertThat(guess("GGUF\3")).isEqualTo("a GGUF model");
    assertThat(guess("\u0040\1\0\0\0\0\0\0{\"__metadata__\"")).isEqualTo("a safetensors file");
    assertThat(guess("\n<!DOCTYPE HTML>\n<html>")).isEqualTo("an HTML page");
    assertThat(guess("version https://git-lfs.github.com/spec/v1")).startsWith("a Git LFS pointer");
    assertThat(guess("# Nola, with a tab\t and a full line of it")).isEqualTo("text");
  }

  @Test
  void unknownStart_isNotGuessed() {
    assertThat(guess("NOLB\1")).isEmpty();
    assertThat(guess("\u00ff\u0080 and the rest is a text of some kind")).isEmpty();
  }
}
