package dev.nola.gpu;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * The compiled kernels: machine code for the most common architectures, and PTX, which the driver
 * compiles for all others ({@code gpu/build-ptx} makes them).
 */
final class KernelImage {
  /** The architectures with machine code: major and minor number, in ascending order. */
  private static final int[] CUBINS = {80, 86, 89, 90};

  /** The oldest architecture that runs the PTX. */
  static final int OLDEST = 75;

  private KernelImage() {}

  /**
   * Returns the names of the images that an architecture can run, best first.
   *
   * @param architecture ten times the major number, and the minor number
   * @return names of resources; PTX is the last
   */
  static List<String> candidates(int architecture) {
    List<String> names = new ArrayList<>();
    for (int i = CUBINS.length - 1; i >= 0; i--) {
      // Machine code runs on later minor numbers, but on no other major one.
      if (CUBINS[i] / 10 == architecture / 10 && CUBINS[i] <= architecture) {
        names.add("nola_sm_" + CUBINS[i] + ".cubin");
      }
    }
    names.add("nola.ptx");
    return names;
  }

  /**
   * Reads an image.
   *
   * @param name one of {@link #candidates}
   * @return its bytes
   */
  static byte[] read(String name) {
    try (InputStream packed = KernelImage.class.getResourceAsStream(name + ".gz")) {
      if (packed == null) {
        throw new IllegalStateException("kernels missing in the class path: " + name + ".gz");
      }
      return new GZIPInputStream(packed).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Returns the digest of the PTX, which names the kernels' version in attestations.
   *
   * @return SHA-256 of the PTX
   */
  static Sha256 digest() {
    return Sha256.hash(read("nola.ptx"));
  }
}
