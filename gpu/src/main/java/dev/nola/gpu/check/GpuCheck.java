package dev.nola.gpu.check;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.generator.Generator;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Checks a GPU: reconstructs the conformance vectors, odd sizes and adapters of 7 and 70 billion
 * parameters, compares every bit with the CPU, measures times, and prints tables.
 */
public final class GpuCheck {
  private static final int ALIKE = 7;

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
      compareVectors(options.vectors(), comparison);
      compareSamples(comparison);
      if (!options.bitsOnly()) {
        new FactorBenchmarks(device, comparison, options).run();
        new WorkBenchmarks(device, comparison, options).run();
      }
      System.out.printf(
          Locale.ROOT,
          "%n%,d results compared with the CPU, %,d elements; wrong: %d; %d s%n",
          comparison.results(),
          comparison.elements(),
          comparison.wrong(),
          millisSince(start) / 1000);
      if (comparison.wrong() > 0) {
        System.exit(1);
      }
    } catch (CudaException e) {
      System.err.println(e.getMessage());
      System.exit(2);
    }
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
}
