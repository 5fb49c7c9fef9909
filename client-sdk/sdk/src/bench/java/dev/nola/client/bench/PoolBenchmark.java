package dev.nola.client.bench;

import dev.nola.client.pool.ActiveAdapter;
import dev.nola.client.pool.AdapterPool;
import dev.nola.client.synthetic.SyntheticAdapter;
import dev.nola.format.AdapterFile;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A pool of LLaMA-2-7B adapters: the heap that a thousand take, and the time to activate one
 * against reading the LoRA of equal rank from the page cache, in turn.
 */
public final class PoolBenchmark {
  private static final int ADAPTERS = 1000;

  /** Adapters that differ; the others are copies of them, because making one takes a while. */
  private static final int DISTINCT = 60;

  private static final int RANK = 16;
  private static final int COEFFICIENTS = 128;
  private static final int THREADS = 2;
  private static final int WARM_UP = 20;
  private static final int RUNS = 31;
  private static final double MILLION = 1e6;

  private final Map<String, List<Integer>> shapes = shapes();
  private final int loraBytes =
      shapes.values().stream().mapToInt(s -> 2 * RANK * (s.get(0) + s.get(1))).sum();
  private final ByteBuffer reused = ByteBuffer.allocateDirect(loraBytes);

  private PoolBenchmark() {}

  /** Prints the figures. */
  public static void main(String[] arguments) throws Exception {
    new PoolBenchmark().run();
  }

  private void run() throws Exception {
    // Room for one active adapter, so that each of two in turn is activated anew.
    long bound = 2L * loraBytes;
    Reconstructor reconstructor = Reconstructor.standard().withThreads(THREADS);
    Path lora = Files.createTempFile("nola-lora", ".fp16");
    try (AdapterPool pool = new AdapterPool(bound, reconstructor)) {
      List<byte[]> files = new ArrayList<>();
      for (int i = 0; i < DISTINCT; i++) {
        files.add(adapter(i).toBytes());
      }
      long before = usedHeap();
      for (int i = 0; i < ADAPTERS; i++) {
        pool.put("task-" + i, AdapterFile.read(files.get(i % DISTINCT)));
      }
      long held = usedHeap() - before;
      System.out.printf(
          "kernel %s, %d threads%n%,d adapters: %,d bytes of files, %,d bytes of heap (%.1f MB)%n",
          Kernels.chosen().name(),
          THREADS,
          ADAPTERS,
          pool.metrics().heldBytes(),
          held,
          held / MILLION);

      byte[] noise = new byte[loraBytes];
      new SplittableRandom(1).nextBytes(noise);
      Files.write(lora, noise);
      measure(pool, lora);
    } finally {
      Files.delete(lora);
    }
  }

  private void measure(AdapterPool pool, Path lora) throws Exception {
    double[] again = new double[RUNS];
    double[] first = new double[RUNS];
    double[] read = new double[RUNS];
    double[] readNew = new double[RUNS];
    for (int run = -WARM_UP; run < RUNS; run++) {
      int adapter = WARM_UP + run;
      double firstTime = time(() -> pool.activate("task-" + adapter));
      pool.activate("task-" + (ADAPTERS - 1)); // evicts it
      double readTime = time(() -> readInto(lora, reused));
      double againTime = time(() -> pool.activate("task-" + adapter));
      double readNewTime = time(() -> Files.readAllBytes(lora));
      if (run >= 0) {
        first[run] = firstTime;
        again[run] = againTime;
        read[run] = readTime;
        readNew[run] = readNewTime;
      }
    }
    ActiveAdapter last = pool.activate("task-0");
    System.out.printf(
        "medians of %d, in turn: %,d bytes of factors activated, %,d bytes of LoRA read%n",
        RUNS, last.bytes(), loraBytes);
    print("first activation, verified", first, read);
    print("activation", again, read);
    print("LoRA read into one reused buffer", read, read);
    print("LoRA read into a new array", readNew, read);
    System.out.printf(
        "activation ÷ read into a new array: %.2f%n", median(again) / median(readNew));
    System.out.println(pool.metrics());
  }

  private static void print(String what, double[] times, double[] reference) {
    double[] sorted = times.clone();
    Arrays.sort(sorted);
    System.out.printf(
        "%-34s %7.1f ms   (%.1f to %.1f)   × read: %.2f%n",
        what,
        median(times),
        sorted[0],
        sorted[sorted.length - 1],
        median(times) / median(reference));
  }

  private AdapterFile adapter(int seed) throws IOException {
    return SyntheticAdapter.builder()
        .generator(Generator.SRHT)
        .rank(RANK)
        .coefficients(COEFFICIENTS, COEFFICIENTS)
        .bits(4)
        .seed(seed)
        .build()
        .forShapes(shapes);
  }

  private static Map<String, List<Integer>> shapes() {
    Map<String, List<Integer>> shapes = new LinkedHashMap<>();
    for (int i = 0; i < 32; i++) {
      String layer = "model.layers." + i;
      for (String projection : List.of("q", "k", "v", "o")) {
        shapes.put(layer + ".self_attn." + projection + "_proj.weight", List.of(4096, 4096));
      }
      shapes.put(layer + ".mlp.gate_proj.weight", List.of(11008, 4096));
      shapes.put(layer + ".mlp.up_proj.weight", List.of(11008, 4096));
      shapes.put(layer + ".mlp.down_proj.weight", List.of(4096, 11008));
    }
    return shapes;
  }

  private static void readInto(Path file, ByteBuffer buffer) throws IOException {
    buffer.clear();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
        // until it is full
      }
    }
  }

  /** Bytes in use once everything unreachable is gone. */
  private static long usedHeap() {
    var memory = ManagementFactory.getMemoryMXBean();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      memory.gc();
      least = Math.min(least, memory.getHeapMemoryUsage().getUsed());
    }
    return least;
  }

  @FunctionalInterface
  private interface Work {
    void run() throws Exception;
  }

  private static double time(Work work) throws Exception {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / MILLION;
  }

  private static double median(double[] times) {
    double[] sorted = times.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
