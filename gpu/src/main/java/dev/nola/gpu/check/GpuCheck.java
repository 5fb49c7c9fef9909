package dev.nola.gpu.check;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import dev.nola.gpu.ElementType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Checks a GPU: reconstructs the conformance vectors, odd sizes and adapters of 7 and 70 billion
 * parameters, merges, and takes steps of trainings; compares every bit with the CPU, measures
 * times, and prints tables.
 */
public final class GpuCheck {
  private static final int ALIKE = 7;

  /** Adapters of a merge and of a pool. */
  private static final int TOGETHER = 3;

  private GpuCheck() {}

  /**
   * Runs the check. Exits with 1 if a bit is wrong, with 2 without a usable GPU or if an argument
   * is invalid.
   *
   * @param args see {@link Options}
   * @throws IOException if a vector cannot be read
   */
  public static void main(String[] args) throws IOException {
    Options options;
    try {
      options = Options.parse(args);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(2);
      return;
    }
    long start = System.nanoTime();
    try (CudaDevice device = CudaDevice.open()) {
      System.out.printf(
          "%s, compute capability %s, driver for CUDA %s, %s, opened in %d ms%n",
          device.name(),
          device.computeCapability(),
          device.cudaRelease(),
          device.image(),
          millisSince(start));
      Comparison comparison = new Comparison(device);
      compareBits(device, options.vectors(), comparison);
      int skipped = options.bitsOnly() ? 0 : measure(device, options, comparison);
      System.out.printf(
          Locale.ROOT,
          "%n%,d results compared with the CPU, %,d elements; wrong: %d; measurements skipped: %d; %d s%n",
          comparison.results(),
          comparison.elements(),
          comparison.wrong(),
          skipped,
          millisSince(start) / 1000);
      if (comparison.wrong() > 0) {
        System.exit(1);
      }
    } catch (CudaException e) {
      System.err.println(e.getMessage());
      System.exit(2);
    }
  }

  /**
   * Runs every kernel on vectors and samples, which the sanitizer repeats.
   *
   * @param device works
   * @param vectors the folder of the conformance vectors
   * @param comparison compares with the CPU
   * @throws IOException if a vector cannot be read, or is not what its digest says
   */
  public static void compareBits(CudaDevice device, Path vectors, Comparison comparison)
      throws IOException {
    compareVectors(vectors, comparison);
    compareSamples(comparison);
    compareWork(new WorkComparison(device, comparison));
  }

  /**
   * Measures adapters of models, of which some elements are compared, too. Measurements for which
   * the GPU's memory does not suffice are skipped.
   *
   * @param device works
   * @param options the sizes of models, and repetitions
   * @param comparison compares with the CPU
   * @return how many measurements were skipped
   * @throws LimitExceededException never: nothing limits the CPU
   */
  public static int measure(CudaDevice device, Options options, Comparison comparison)
      throws LimitExceededException {
    Measurements measurements = new Measurements();
    new FactorBenchmarks(device, comparison, options, measurements).run();
    new WorkBenchmarks(device, comparison, options, measurements).run();
    return measurements.skipped();
  }

  private static long millisSince(long start) {
    return (System.nanoTime() - start) / 1_000_000;
  }

  private static void compareVectors(Path folder, Comparison comparison) throws IOException {
    long start = System.nanoTime();
    List<Path> files;
    try (Stream<Path> list = Files.list(folder)) {
      files = list.filter(file -> file.toString().endsWith(AdapterFile.EXTENSION)).toList();
    }
    for (Path path : files) {
      AdapterFile file = AdapterFile.read(path);
      if (!file.adapter().layers().isEmpty()) {
        comparison.compare(List.of(file.adapter()), DType.F32);
        comparison.compareRoot(file);
      }
    }
    System.out.printf("%d conformance vectors, %d ms%n", files.size(), millisSince(start));
  }

  private static void compareSamples(Comparison comparison) throws IOException {
    for (Generator generator : Generator.values()) {
      long start = System.nanoTime();
      for (Adapter adapter : SampleAdapters.small(generator)) {
        comparison.compare(List.of(adapter), ElementType.balanced(DType.F16, adapter));
        comparison.compare(List.of(adapter), new ElementType(DType.BF16, 0x1p10f, 0x1p-10f));
      }
      for (DType dtype : DType.values()) {
        for (Adapter adapter : SampleAdapters.odd(generator)) {
          comparison.compare(List.of(adapter), dtype);
        }
        comparison.compare(SampleAdapters.alike(generator, ALIKE), dtype);
      }
      System.out.printf(
          "odd sizes, %s, in f32, f16 and bf16, %d ms%n", generator, millisSince(start));
    }
  }

  private static void compareWork(WorkComparison work) throws IOException {
    long start = System.nanoTime();
    for (DType dtype : DType.values()) {
      work.compareMerges(SampleAdapters.toMerge(1), dtype);
      work.compareMerges(SampleAdapters.toMerge(TOGETHER), dtype);
      work.comparePool(SampleAdapters.toMerge(TOGETHER), dtype);
    }
    System.out.printf("merges and pools, in f32, f16 and bf16, %d ms%n", millisSince(start));
    for (Generator generator : Generator.values()) {
      start = System.nanoTime();
      work.compareProducts(SampleAdapters.alike(generator, 1).getFirst());
      for (Adapter adapter : SampleAdapters.small(generator)) {
        work.compareProducts(adapter);
        work.compareTraining(adapter);
      }
      System.out.printf(
          "transposed products and training, %s, %d ms%n", generator, millisSince(start));
    }
  }
}
