package dev.nola.format;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The reader under fuzz: whatever the bytes, it returns the canonical file of what it read, or
 * throws an {@link AdapterException}. In {@code mvn verify} the conformance vectors and past
 * findings run as a corpus; the long run is
 *
 * <pre>mvn -pl format-spec test -Pfuzz</pre>
 */
class AdapterFileFuzzTest {
  static Stream<Arguments> corpus() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("vectors"))) {
      List<Path> vectors =
          files
              .filter(path -> path.toString().endsWith(AdapterFile.EXTENSION))
              .sorted(Comparator.naturalOrder())
              .toList();
      return vectors.stream().map(AdapterFileFuzzTest::bytes).map(Arguments::of);
    }
  }

  private static byte[] bytes(Path path) {
    try {
      return Files.readAllBytes(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @MethodSource("corpus")
  @FuzzTest(maxDuration = "12m")
  void readerReturnsCanonicalContentOrRefuses(byte[] data) {
    read(data);
    if (data.length > Header.BYTES + Header.CHECKSUM_BYTES) {
      read(repaired(data));
    }
  }

  private static void read(byte[] data) {
    try {
      AdapterFile file = AdapterFile.read(data);
      byte[] encoded = file.toBytes();
      encoded[6] = data[6]; // a later minor is accepted, and written as this one
      encoded[7] = data[7];
      assertThat(Arrays.copyOf(encoded, encoded.length - Header.CHECKSUM_BYTES))
          .isEqualTo(Arrays.copyOf(data, data.length - Header.CHECKSUM_BYTES));
    } catch (AdapterException refused) {
      assertThat(refused.getMessage()).isNotBlank();
    }
  }

  /** Lengths and checksum mended, so that the fuzzer gets past both. */
  private static byte[] repaired(byte[] data) {
    byte[] repaired = data.clone();
    byte[] header = new Header(0, 0, 0).toBytes();
    System.arraycopy(header, 0, repaired, 0, 12);
    long room = repaired.length - Header.BYTES - Header.CHECKSUM_BYTES;
    long manifest = Math.min(room, u32(repaired, 12) % (room + 1));
    long codes = Math.min(room - manifest, u32(repaired, 16));
    put(repaired, 12, 4, manifest);
    put(repaired, 16, 8, codes);
    put(repaired, 24, 8, room - manifest - codes);
    CRC32C crc = new CRC32C();
    crc.update(repaired, 0, repaired.length - Header.CHECKSUM_BYTES);
    put(repaired, repaired.length - Header.CHECKSUM_BYTES, 4, crc.getValue());
    return repaired;
  }

  private static long u32(byte[] bytes, int offset) {
    long value = 0;
    for (int b = 3; b >= 0; b--) {
      value = value << 8 | bytes[offset + b] & 0xFF;
    }
    return value;
  }

  private static void put(byte[] bytes, int offset, int count, long value) {
    for (int b = 0; b < count; b++) {
      bytes[offset + b] = (byte) (value >>> 8 * b);
    }
  }
}
