package dev.nola.client.lock;

import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.gpu.CudaException;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Backend;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One adapter, reconstructed by several backends.
 *
 * @param digests what each backend's bits hash to, by the backend's name
 * @param seconds how long each backend took, by its name
 * @param differences where a backend's bits are not the first one's: the first element of every
 *     layer that differs
 * @param failures why backends on a GPU have no digest
 * @param unread why a GPU did not hand over layers that differ, so that their elements are missing
 *     among the differences
 */
public record CrossCheck(
    SequencedMap<String, Sha256> digests,
    Map<String, Double> seconds,
    List<Difference> differences,
    List<CudaException> failures,
    List<CudaException> unread) {
  private static final double NANOS = 1e9;

  /** Copies all. */
  public CrossCheck {
    digests = new LinkedHashMap<>(digests);
    seconds = Map.copyOf(seconds);
    differences = List.copyOf(differences);
    failures = List.copyOf(failures);
    unread = List.copyOf(unread);
  }

  /**
   * Tells whether all backends that have a digest have the same one.
   *
   * @return true if no bit differs
   */
  public boolean agrees() {
    return Set.copyOf(digests.values()).size() == 1;
  }

  /**
   * An element of which two backends make different bits.
   *
   * @param tensor that the layer adapts
   * @param side {@code A} or {@code B}
   * @param index of the element in the flattened factor
   * @param first name of the first backend
   * @param firstBits its f32, as raw bits
   * @param second name of the other
   * @param secondBits its f32, as raw bits
   */
  public record Difference(
      String tensor,
      String side,
      int index,
      String first,
      int firstBits,
      String second,
      int secondBits) {
    @Override
    public String toString() {
      return "tensor %s, factor %s, element %d: %s has 0x%08x (%s), %s has 0x%08x (%s)"
          .formatted(
              tensor,
              side,
              index,
              first,
              firstBits,
              Float.intBitsToFloat(firstBits),
              second,
              secondBits,
              Float.intBitsToFloat(secondBits));
    }
  }

  /**
   * Returns the backends of the CPU that this JVM can run: scalar, and vector if the JVM was
   * started with it.
   *
   * @return the backends
   */
  public static List<Backend> ofCpu() {
    Reconstructor standard = Reconstructor.standard();
    Backend scalar = standard.withKernel(Kernels.scalar());
    return Kernels.canVectorize()
        ? List.of(scalar, standard.withKernel(Kernels.vector()))
        : List.of(scalar);
  }

  /**
   * Reconstructs an adapter on each backend and compares the results.
   *
   * @param file the adapter
   * @param backends at least one
   * @return the digests and differences
   * @throws LimitExceededException if it would exceed what is reconstructed
   * @throws CudaException if a GPU fails and no other backend is to reconstruct it
   */
  public static CrossCheck of(AdapterFile file, List<Backend> backends)
      throws LimitExceededException {
    SequencedMap<String, Sha256> digests = new LinkedHashMap<>();
    Map<String, Double> seconds = new HashMap<>();
    List<Difference> differences = new ArrayList<>();
    List<CudaException> failures = new ArrayList<>();
    List<CudaException> unread = new ArrayList<>();
    Backend first = backends.getFirst();
    ReconstructionDigest expected = null;
    for (Backend backend : backends) {
      ReconstructionDigest actual;
      try {
        long start = System.nanoTime();
        actual = backend.digest(file.adapter());
        seconds.put(backend.name(), (System.nanoTime() - start) / NANOS);
      } catch (CudaException e) {
        failures.add(e);
        continue;
      }
      digests.put(backend.name(), actual.root());
      if (expected == null) {
        first = backend;
        expected = actual;
      }
      try {
        for (Layer layer : unequal(file.adapter().layers(), expected, actual)) {
          differences.add(
              difference(
                  first.name(),
                  first.open(file.adapter()).apply(layer),
                  backend.name(),
                  backend.open(file.adapter()).apply(layer)));
        }
      } catch (CudaException e) {
        unread.add(e);
      }
    }
    if (digests.isEmpty()) {
      throw failures.getFirst();
    }
    return new CrossCheck(digests, seconds, differences, failures, unread);
  }

  private static List<Layer> unequal(
      List<Layer> layers, ReconstructionDigest expected, ReconstructionDigest actual) {
    return IntStream.range(0, layers.size())
        .filter(i -> !expected.layers().get(i).equals(actual.layers().get(i)))
        .mapToObj(layers::get)
        .toList();
  }

  private static Difference difference(
      String first, Factors expected, String second, Factors actual) {
    Difference inA = difference("A", first, expected, expected.a(), second, actual.a());
    if (inA != null) {
      return inA;
    }
    float[] b = expected.b();
    float[] other = actual.b();
    Difference inB =
        b == null || other == null ? null : difference("B", first, expected, b, second, other);
    return Objects.requireNonNull(
        inB,
        "backends whose digests differed now produce the same bits: this machine computes"
            + " unreliably");
  }

  private static @Nullable Difference difference(
      String side, String first, Factors factors, float[] expected, String second, float[] actual) {
    for (int i = 0; i < expected.length; i++) {
      int one = Float.floatToRawIntBits(expected[i]);
      int two = Float.floatToRawIntBits(actual[i]);
      if (one != two) {
        return new Difference(factors.layer().tensor(), side, i, first, one, second, two);
      }
    }
    return null;
  }
}
