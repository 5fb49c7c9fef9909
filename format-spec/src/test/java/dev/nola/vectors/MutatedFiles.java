package dev.nola.vectors;

import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Writes damaged vectors under matching checksums, and the kind of each as this reader sees it, for
 * another reader to compare (interop/README.md). Equal seeds give equal files.
 *
 * <pre>mvn -q -pl format-spec test-compile exec:exec@mutations -Dseed=1 -Dfiles=20000</pre>
 */
final class MutatedFiles {
  private static final int LARGEST_BASE = 2048;
  private static final int[] NUMBERS = {
    0,
    1,
    2,
    3,
    4,
    5,
    8,
    9,
    16,
    17,
    255,
    256,
    257,
    4096,
    65_536,
    65_537,
    1 << 24,
    1 << 27,
    1 << 30,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    -1,
    -2,
    -4,
    999_999_999,
    1_000_000_000
  };
  private static final int[] BYTES = {0, 1, 2, 3, 4, 5, 16, 17, '.', '0', '9', 0x7F, 0x80, 0xFF};

  private final Random random;
  private final List<byte[]> bases;

  private MutatedFiles(long seed, List<byte[]> bases) {
    this.random = new Random(seed);
    this.bases = bases;
  }

  /**
   * @param args the folder of the vectors, the file to write, a seed, and how many files to make
   */
  public static void main(String[] args) throws IOException {
    MutatedFiles mutated = new MutatedFiles(Long.parseLong(args[2]), bases(Path.of(args[0])));
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(Path.of(args[1]))))) {
      for (int i = Integer.parseInt(args[3]); i > 0; i--) {
        byte[] file = mutated.next();
        out.writeUTF(kind(file));
        out.writeInt(file.length);
        out.write(file);
      }
    }
  }

  private static List<byte[]> bases(Path vectors) throws IOException {
    try (Stream<Path> files = Files.walk(vectors)) {
      List<Path> paths =
          files
              .filter(path -> path.toString().endsWith(AdapterFile.EXTENSION))
              .filter(path -> path.toFile().length() <= LARGEST_BASE)
              .filter(path -> path.toFile().length() > RawFile.HEADER + 8)
              .sorted()
              .toList();
      List<byte[]> bases = new java.util.ArrayList<>();
      for (Path path : paths) {
        bases.add(Files.readAllBytes(path));
      }
      return bases;
    }
  }

  private static String kind(byte[] file) {
    try {
      AdapterFile.read(file);
      return Kinds.ACCEPTED;
    } catch (AdapterException refused) {
      return Kinds.of(refused);
    } catch (RuntimeException broken) {
      return broken.toString(); // no reader has this kind, so that the comparison shows it
    }
  }

  private byte[] next() {
    RawFile file = new RawFile(bases.get(random.nextInt(bases.size())));
    for (int n = 1 + random.nextInt(4); n > 0; n--) {
      mutate(file);
    }
    return file.checksummed();
  }

  private void mutate(RawFile file) {
    int length = file.bytes().length;
    int manifest = Math.clamp(file.manifestLength(), 4, length - RawFile.HEADER - 4);
    int word = RawFile.HEADER + 4 * random.nextInt(manifest / 4);
    int half = RawFile.HEADER + 2 * random.nextInt(manifest / 2);
    switch (random.nextInt(9)) {
      case 0, 1, 2 -> file.u32(word, NUMBERS[random.nextInt(NUMBERS.length)]);
      case 3 -> file.u32(word, file.u32(word) + 4 * random.nextInt(-4, 5));
      case 4 -> file.u32(word, file.u32(RawFile.HEADER + 4 * random.nextInt(manifest / 4)));
      case 5 -> file.set(half, BYTES[random.nextInt(BYTES.length)]);
      case 6 -> file.set(half, 0).set(half + 1, 0);
      case 7 -> {
        int offset = random.nextInt(random.nextInt(8) == 0 ? 0 : RawFile.HEADER, length - 4);
        file.set(offset, BYTES[random.nextInt(BYTES.length)]);
      }
      default -> {
        int codes = Math.clamp(RawFile.HEADER + (long) manifest, 0, length - 4);
        if (codes + 4 <= length - 4) {
          file.u32(codes, NUMBERS[random.nextInt(NUMBERS.length)]);
        }
      }
    }
  }
}
