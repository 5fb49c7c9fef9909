package dev.nola.client.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each rule of the format, broken: the file is refused, and the message says by which rule. */
class HostileFileTest {
  @TempDir private Path folder;

  static Stream<Arguments> headers() {
    String a = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";
    return Stream.of(
        refused("", 0, "does not begin with {"),
        refused(" {}", 0, "does not begin with {"),
        refused("[]", 0, "does not begin with {"),
        refused("{", 0, "not valid JSON"),
        refused("{" + a, 8, "not valid JSON"),
        refused("{" + a + "} x", 8, "not valid JSON"),
        refused("{" + a + "} {}", 8, "content after its object"),
        refused("{" + a + "," + a + "}", 8, "not valid JSON"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            8,
            "not valid JSON"),
        refused("{\"a\":7}", 0, "a is not an object"),
        refused(
            "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "is incomplete; must have dtype"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}",
            8,
            "is incomplete; must have dtype"),
        refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "is incomplete; must have dtype"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}",
            8,
            "an unknown field x"),
        refused(
            "{\"a\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}",
            8,
            "a dtype is not a text"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}",
            8,
            "a shape is not a list"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
            8,
            "a shape contains -2"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}",
            8,
            "a shape contains 2.0"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551616],\"data_offsets\":[0,8]}}",
            8,
            "a shape contains 18446744073709551616"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}",
            8,
            "a shape contains"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4,8]}}",
            8,
            "3 data_offsets"),
        refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "ascending"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            4,
            "must be ascending and at most 4"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "must be 12"),
        refused(
            "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}",
            2,
            "must be whole bytes"),
        refused(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
            8,
            "more than 2^63-1 bits"),
        refused(
            "{" + a + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}",
            16,
            "b begins at 12; must begin at 8"),
        refused(
            "{" + a + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
            8,
            "b begins at 4; must begin at 8"),
        refused("{" + a + "}", 9, "its header describes 8"),
        refused("{\"__metadata__\":{\"format\":1}}", 0, "format is not a text"),
        refused("{\"__metadata__\":[]}", 0, "__metadata__ is not an object"),
        refused("{\"__metadata__\":{\"x\":null}}", 0, "x is not a text"));
  }

  private static Arguments refused(String header, int dataBytes, String rule) {
    return Arguments.of(header, dataBytes, rule);
  }

  @ParameterizedTest
  @MethodSource("headers")
  void aHeaderThatBreaksARuleIsRefused(String header, int dataBytes, String rule)
      throws IOException {
    Path file = RawFile.write(folder.resolve("model.safetensors"), header, dataBytes);
    assertThatThrownBy(() -> SafetensorsFile.open(file).close())
        .isInstanceOf(InvalidModelException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(rule);
  }

  @Test
  void aFileTooShortForALengthIsRefused() throws IOException {
    Path file = Files.write(folder.resolve("x.safetensors"), new byte[7]);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(InvalidModelException.class)
        .hasMessageContaining("has 7 bytes");
  }

  @Test
  void aHeaderLongerThanTheFileIsRefused() throws IOException {
    Path file = RawFile.write(folder.resolve("x.safetensors"), 3, new byte[] {'{', '}'}, 0);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(InvalidModelException.class)
        .hasMessageContaining("declares a header of 3 bytes");
  }

  @Test
  void aHeaderOfMoreThanAHundredMegabytesIsRefusedBeforeItIsRead() throws IOException {
    for (long declared : new long[] {100_000_001, Long.MAX_VALUE, -1}) {
      Path file =
          RawFile.write(folder.resolve("x.safetensors"), declared, new byte[] {'{', '}'}, 0);
      assertThatThrownBy(() -> SafetensorsFile.open(file))
          .isInstanceOf(InvalidModelException.class)
          .hasMessageContaining(Long.toUnsignedString(declared))
          .hasMessageContaining("limit is 100,000,000");
    }
  }

  @Test
  void aHeaderThatIsNotUtf8IsRefused() throws IOException {
    byte[] header = "{\"?\":7}".getBytes(StandardCharsets.US_ASCII);
    header[2] = (byte) 0xFF;
    Path file = RawFile.write(folder.resolve("x.safetensors"), header.length, header, 0);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(InvalidModelException.class)
        .hasMessageContaining("not UTF-8");
  }

  @Test
  void aTypeThatIsNotKnownIsTakenAsItIs() throws IOException {
    Path file =
        RawFile.write(
            folder.resolve("x.safetensors"),
            "{\"a\":{\"dtype\":\"Q3\",\"shape\":[5],\"data_offsets\":[0,3]}}  ",
            3);
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      Tensor tensor = read.tensors().get("a");
      assertThat(tensor.data().byteSize()).isEqualTo(3);
      assertThat(tensor.adaptableType()).isEmpty();
    }
  }

  @Test
  void emptyTensorsAndScalarsAreLegal() throws IOException {
    Path file =
        RawFile.write(
            folder.resolve("x.safetensors"),
            "{\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[0,0]},"
                + "\"s\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                + "\"__metadata__\":{\"format\":\"pt\"}}",
            8);
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.tensors().get("e").elements()).isZero();
      assertThat(read.tensors().get("s").elements()).isOne();
      assertThat(read.metadata()).containsExactly(java.util.Map.entry("format", "pt"));
    }
  }
}
