package dev.nola.client.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.nola.client.safetensors.InvalidModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class GgufFileTest {
  @TempDir private Path folder;

  /** Bytes of a block by type, and some of its elements, computed by hand. 0x3800 is 0.5 in f16. */
  static Stream<Arguments> blocksHaveTheValuesOfGgml() {
    return Stream.of(
        // 0.5 · (low nibble − 8), 0.5 · (high nibble − 8)
        arguments(2, Gguf.block(18, 0, 0x38, 0x0F, 0xA0), Map.of(0, 3.5f, 1, -4f, 16, -4f, 17, 1f)),
        // 0.5 · nibble + 2
        arguments(3, Gguf.block(20, 0, 0x38, 0, 0x40, 0x3F), Map.of(0, 9.5f, 1, 2f, 16, 3.5f)),
        // bits 0 and 17 of the fifth bits: 0.5 · (15 + 16 − 16), 0.5 · (2 + 16 − 16)
        arguments(
            6,
            Gguf.block(22, 0, 0x38, 1, 0, 2, 0, 0x0F, 0x20),
            Map.of(0, 7.5f, 1, -8f, 16, -8f, 17, 1f)),
        // bit 31: 0.5 · (16 + 1) + 2
        arguments(7, q51(), Map.of(0, 4f, 1, 2f, 31, 10.5f)),
        arguments(8, Gguf.block(34, 0, 0x38, 127, 0x80, 0xFF), Map.of(0, 63.5f, 1, -64f, 2, -.5f)),
        arguments(12, q4k(), Map.of(0, 2.5f, 32, 28f, 128, 35 * .5f * 15 - 2 * 19)),
        arguments(13, q5k(), Map.of(0, 13.5f, 1, -2f, 255, 3 * .5f * 31)),
        arguments(14, q6k(), Map.of(0, .5f * 3 * (31 - 32), 32, -48f, 255, .5f * -2 * (63 - 32))));
  }

  /** d = 0.5, dmin = 2; scales 3, 4 and 35 of blocks 0, 1 and 4; minima 1 and 19 of 0 and 4. */
  private static byte[] q4k() {
    byte[] block = Gguf.block(144, 0, 0x38, 0, 0x40, 3 | 2 << 6, 4, 0, 0, 1 | 1 << 6);
    block[4 + 8] = 3 | 3 << 4;
    block[16] = (byte) 0xE3; // elements 0 and 32: 0.5·3·3 − 2·1 and 0.5·4·14 − 2·0
    block[16 + 64] = 15; // element 128
    return block;
  }

  /** d = 0.5, m = 2. */
  private static byte[] q51() {
    byte[] block = Gguf.block(24, 0, 0x38, 0, 0x40, 0, 0, 0, 0x80, 4);
    block[23] = 0x10;
    return block;
  }

  /** As above; the fifth bits of element 0 and of element 31 of block 7 are set. */
  private static byte[] q5k() {
    byte[] block = Gguf.block(176, 0, 0x38, 0, 0x40, 1, 0, 0, 0, 1);
    block[4 + 11] = 3;
    block[16] = 1;
    block[16 + 31] = (byte) 0x80;
    block[48] = 15; // element 0: 0.5·1·31 − 2·1
    block[48 + 127] = (byte) 0xF0;
    return block;
  }

  private static byte[] q6k() {
    byte[] block = new byte[210];
    block[209] = 0x38;
    block[192] = 3;
    block[194] = 3;
    block[207] = -2;
    block[0] = 15;
    block[128] = 1; // element 0: code 15 + 16; element 32: code 0
    block[127] = (byte) 0xF0;
    block[191] = (byte) 0xC0; // element 255: code 15 + 48
    return block;
  }

  @ParameterizedTest
  @MethodSource
  void blocksHaveTheValuesOfGgml(int type, byte[] block, Map<Integer, Float> expected)
      throws IOException {
    int count = block.length > 100 ? 256 : 32;
    byte[] two = Arrays.copyOf(block, 2 * block.length);
    System.arraycopy(block, 0, two, block.length, block.length);
    Path path =
        new Gguf().tensor("w", type, List.of(2, count), two).write(folder.resolve("m.gguf"));
    try (GgufFile file = GgufFile.open(path)) {
      GgufTensor tensor = file.tensors().get("w");
      float[] values = new float[count + 1];
      tensor.read(count, values, 1, count);
      expected.forEach(
          (index, value) -> assertThat(values[index + 1]).as("%d", index).isEqualTo(value));
    }
  }

  @Test
  void halvesAreRead() throws IOException {
    Path path =
        new Gguf()
            .tensor("f16", 1, List.of(2), Gguf.block(4, 0, 0x38, 0xFF, 0xFB)) // 0.5, -65504
            .tensor("bf16", 30, List.of(2), Gguf.block(4, 0x80, 0x3F, 0x40, 0xC0)) // 1, -3
            .write(folder.resolve("m.gguf"));
    try (GgufFile file = GgufFile.open(path)) {
      float[] values = new float[4];
      file.tensors().get("f16").read(0, values, 0, 2);
      file.tensors().get("bf16").read(0, values, 2, 2);
      assertThat(values).containsExactly(.5f, -65504, 1, -3);
    }
  }

  @Test
  void metadataHaveTheirTypes() throws IOException {
    Path path =
        new Gguf()
            .text("t", "ü")
            .integer("i", -1)
            .number("n", 1e-5f)
            .isSet("b", true)
            .texts("l", List.of("a", ""))
            .write(folder.resolve("m.gguf"));
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.text("t")).contains("ü");
      assertThat(file.integer("i")).hasValue(0xFFFF_FFFFL);
      assertThat(file.number("n")).hasValue(1e-5);
      assertThat(file.isSet("b")).contains(true);
      assertThat(file.list("l", String.class)).containsExactly("a", "");
      assertThat(file.list("l", Long.class)).isEmpty();
      assertThat(file.text("i")).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"10, Q2_K", "23, IQ4_XS", "39, MXFP4", "41, Q1_0", "99, number 99", "4, Q4_2"})
  void aTypeThatCannotBeReadIsNamed(int type, String name) throws IOException {
    refused(
        new Gguf().tensor("w", type, List.of(256), new byte[256]).bytes(),
        "tensor w has type " + name + "; must be one of [F32, F16, Q4_0,");
  }

  @Test
  void invalidFilesAreRefused() throws IOException {
    byte[] valid = new Gguf().text("k", "v").tensor("w", List.of(2), 1, 2).bytes();
    refused(Arrays.copyOf(valid, 40), "ends inside its header");
    refused(Arrays.copyOf(valid, 3), "ends inside its header");
    byte[] other = valid.clone();
    other[3] = 'L';
    refused(other, "is not a GGUF file");
    refused(Arrays.copyOf(valid, valid.length - 32), "past the end of the file");
    byte[] old = valid.clone();
    old[4] = 1;
    refused(old, "is of GGUF version 1; must be 2 or 3");
    byte[] many = valid.clone();
    many[15] = (byte) 0x80;
    refused(many, "entries");
    byte[] huge = valid.clone();
    Arrays.fill(huge, 16, 23, (byte) 0xFF);
    refused(huge, "");
    refused(new Gguf().tensor("w", 2, List.of(2, 16), new byte[18]).bytes(), "whole blocks of 32");
    refused(
        new Gguf().tensor("w", List.of(1), 1).tensor("w", List.of(1), 1).bytes(), "two tensors");
  }

  private void refused(byte[] content, String message) throws IOException {
    Path path = Files.write(folder.resolve("m.gguf"), content);
    assertThatThrownBy(() -> GgufFile.open(path).close())
        .isInstanceOf(InvalidModelException.class)
        .hasMessageStartingWith(path + ": ")
        .hasMessageContaining(message);
  }
}
