package dev.nola.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damage of every kind, done to golden files. */
class DamageTest {
  private static final Path VALID = Path.of("vectors/valid");

  @ParameterizedTest
  @ValueSource(strings = {"metadata.nola", "dense-of-every-type.nola"})
  void everyFlippedByteIsRejected(String name) throws IOException {
    byte[] golden = Files.readAllBytes(VALID.resolve(name));
    for (int offset = 0; offset < golden.length; offset++) {
      for (int flip : new int[] {0x01, 0x10, 0x80, 0xFF}) {
        byte[] damaged = golden.clone();
        damaged[offset] ^= (byte) flip;
        assertThatThrownBy(() -> AdapterFile.read(damaged))
            .as("byte %d xor %02x", offset, flip)
            .isInstanceOf(AdapterException.class);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"metadata.nola", "dense-of-every-type.nola"})
  void everyTruncationAndTrailingByteIsRejected(String name) throws IOException {
    byte[] golden = Files.readAllBytes(VALID.resolve(name));
    for (int length = 0; length < golden.length; length++) {
      byte[] cut = Arrays.copyOf(golden, length);
      assertThatThrownBy(() -> AdapterFile.read(cut))
          .as("cut to %d bytes", length)
          .isInstanceOf(CorruptAdapterException.class);
    }
    for (int value = 0; value < 256; value++) {
      byte[] longer = Arrays.copyOf(golden, golden.length + 1);
      longer[golden.length] = (byte) value;
      assertThatThrownBy(() -> AdapterFile.read(longer))
          .isInstanceOf(CorruptAdapterException.class);
    }
  }

  /**
   * Damage that the checksum does not show, as an attacker would do it: the file is refused by the
   * family of exceptions, or it is the canonical file of other content.
   */
  @Test
  void damageUnderAMatchingChecksumIsRejectedOrCanonical() throws IOException {
    Random random = new Random(4);
    try (Stream<Path> files = Files.list(VALID)) {
      for (Path path : files.sorted().toList()) {
        byte[] golden = Files.readAllBytes(path);
        for (int round = 0; round < 200; round++) {
          byte[] damaged = golden.clone();
          for (int n = 1 + random.nextInt(3); n > 0; n--) {
            int offset = random.nextInt(Math.min(damaged.length, 400));
            damaged[offset] =
                (byte) (random.nextBoolean() ? random.nextInt() : random.nextInt(3) - 1);
          }
          checksum(damaged);
          try {
            assertThat(AdapterFile.read(damaged).toBytes()).isEqualTo(withMinorZero(damaged));
          } catch (AdapterException refused) {
            assertThat(refused.getMessage()).isNotBlank();
          }
        }
      }
    }
  }

  /** A reader accepts later minors, and writes its own. */
  private static byte[] withMinorZero(byte[] file) {
    if (file[6] == 0 && file[7] == 0) {
      return file;
    }
    byte[] changed = file.clone();
    changed[6] = 0;
    changed[7] = 0;
    checksum(changed);
    return changed;
  }

  private static void checksum(byte[] file) {
    CRC32C crc = new CRC32C();
    crc.update(file, 0, file.length - 4);
    for (int b = 0; b < 4; b++) {
      file[file.length - 4 + b] = (byte) (crc.getValue() >>> 8 * b);
    }
  }

  @Test
  void writtenFileReplacesTheOldOneAndLeavesNothingElse(@TempDir Path folder) throws IOException {
    Path path = folder.resolve("a.nola");
    Files.writeString(path, "old");
    AdapterFile file = AdapterFile.read(VALID.resolve("metadata.nola"));

    file.write(path);

    assertThat(AdapterFile.read(path)).isEqualTo(file);
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(path);
    }
  }
}
