package dev.nola.gpu.check;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.gpu.AdapterPlan;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import dev.nola.gpu.DeviceFactors;
import dev.nola.gpu.ResidentAdapters;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Checks a GPU: reconstructs the conformance vectors, odd sizes and adapters of 7 and 70 billion
 * parameters, compares every bit with the CPU, measures times, and prints a table.
 */
public final class GpuCheck {
  private static final int REPETITIONS = 50;
  private static final int POOL = 1000;

  private final CudaDevice device;
  private final Comparison comparison;

  private GpuCheck(CudaDevice device) {
    this.device = device;
    this.comparison = new Comparison(device);
  }

  /**
   * Runs the check and exits with 1 if a bit is wrong, with 2 if there is no usable GPU.
   *
   * @param args the folder of the conformance vectors; {@code --quick} leaves out 70B
   * @throws IOException if a vector cannot be read
   */
  public static void main(String[] args) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(args));
    boolean quick = arguments.remove("--quick");
    long start = System.nanoTime();
    try (CudaDevice device = CudaDevice.open()) {
      System.out.printf(
          "%s, compute capability %s, driver for CUDA %s, %s, opened in %d ms%n",
          device.name(),
          device.computeCapability(),
          device.cudaRelease(),
          device.image(),
          millisSince(start));
      GpuCheck check = new GpuCheck(device);
      check.compareBits(Path.of(arguments.getFirst()));
      check.measure(quick);
      System.out.printf(
          Locale.ROOT,
          "%n%,d reconstructions compared, %,d elements; layers with a wrong bit: %d; %d s%n",
          check.comparison.adapters(),
          check.comparison.elements(),
          check.comparison.wrongLayers(),
          millisSince(start) / 1000);
      if (check.comparison.wrongLayers() > 0) {
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

  private void compareBits(Path vectors) throws IOException {
    long start = System.nanoTime();
    List<Path> files;
    try (Stream<Path> list = Files.list(vectors)) {
      files =
          list.filter(file -> file.toString().endsWith(AdapterFile.EXTENSION)).sorted().toList();
    }
    for (Path file : files) {
      Adapter adapter = AdapterFile.read(file).adapter();
      if (!adapter.layers().isEmpty()) {
        comparison.compare(List.of(adapter), DType.F32);
      }
    }
    System.out.printf("%d conformance vectors, %d ms%n", files.size(), millisSince(start));
    for (Generator generator : Generator.values()) {
      start = System.nanoTime();
      for (DType dtype : DType.values()) {
        for (Adapter adapter : SampleAdapters.odd(generator)) {
          comparison.compare(List.of(adapter), dtype);
        }
        comparison.compare(SampleAdapters.alike(generator, 7), dtype);
      }
      System.out.printf("odd sizes, %s, f32, f16 and bf16, %d ms%n", generator, millisSince(start));
    }
  }

  private void measure(boolean quick) throws LimitExceededException {
    System.out.printf(
        "%nMedians of %d, in µs. Kernel: by the GPU's clock. Call: from Java, launch to done.%n"
            + "Switch: upload of the compressed adapter, launch to done.%n%n"
            + "| adapter, all linear layers, r = 16, k = l = 128, 4 bits | kernel | call | switch | copy of these bytes on the device |%n"
            + "|---|--:|--:|--:|--:|%n",
        REPETITIONS);
    for (Generator generator : Generator.values()) {
      measure("LLaMA-2-7B", SampleAdapters.llama7B(generator, 1), DType.F32);
    }
    measure("LLaMA-2-7B", SampleAdapters.llama7B(Generator.SRHT, 1), DType.F16);
    measure("LLaMA-2-7B", SampleAdapters.llama7B(Generator.SRHT, 1), DType.BF16);
    if (!quick) {
      for (Generator generator : Generator.PSEUDORANDOM) {
        measure("LLaMA-2-70B", SampleAdapters.llama70B(generator, 1), DType.F32);
      }
      measure("LLaMA-2-70B", SampleAdapters.llama70B(Generator.SRHT, 1), DType.F16);
    }
    System.out.println();
    measurePool();
    measureUpload("LLaMA-2-7B", SampleAdapters.llama7B(Generator.SRHT, 1));
    if (!quick) {
      measureUpload("LLaMA-2-70B", SampleAdapters.llama70B(Generator.SRHT, 1));
    }
  }

  private void measure(String model, Adapter adapter, DType dtype) throws LimitExceededException {
    try (AdapterPlan plan = device.plan(adapter);
        ResidentAdapters resident = plan.upload(List.of(adapter));
        DeviceFactors factors = plan.allocate(dtype, 1)) {
      factors.fill((byte) 0xFF);
      Runnable launch = () -> plan.reconstruct(resident, 0, 1, factors);
      Timing kernel = Timing.ofDevice(device, REPETITIONS, launch);
      Timing call = Timing.ofWall(device, REPETITIONS, launch);
      Timing change =
          Timing.ofWall(
              device,
              REPETITIONS,
              () -> {
                resident.replace(0, adapter);
                launch.run();
              });
      comparison.compare(adapter, factors, 0);
      try (DeviceFactors copy = plan.allocate(dtype, 1)) {
        Timing copied = Timing.ofDevice(device, REPETITIONS, () -> copy.copyFrom(factors));
        System.out.printf(
            Locale.ROOT,
            "| %s, %s, %s | %,.1f | %,.1f | %,.1f | %,.1f |%n",
            model,
            adapter.generator(),
            dtype.name().toLowerCase(Locale.ROOT),
            kernel.median() / 1e3,
            call.median() / 1e3,
            change.median() / 1e3,
            copied.median() / 1e3);
      }
    }
  }

  /** Measures a switch between compressed adapters that are resident. */
  private void measurePool() {
    List<Adapter> adapters = new ArrayList<>();
    for (int number = 0; number < POOL; number++) {
      adapters.add(SampleAdapters.llama7B(Generator.SRHT, number));
    }
    SplittableRandom random = new SplittableRandom(1);
    try (AdapterPlan plan = device.plan(adapters.getFirst());
        ResidentAdapters resident = plan.upload(adapters);
        DeviceFactors factors = plan.allocate(DType.F32, 1)) {
      Timing change =
          Timing.ofWall(
              device, 2000, () -> plan.reconstruct(resident, random.nextInt(POOL), 1, factors));
      System.out.printf(
          Locale.ROOT,
          "%,d adapters of 7B resident: %,d bytes; a switch to a random one %,.1f µs, p99 %,.1f µs%n",
          POOL,
          resident.bytes(),
          change.median() / 1e3,
          change.p99() / 1e3);
      comparisonOfLast(plan, resident, adapters);
    } catch (LimitExceededException e) {
      throw new AssertionError(e);
    }
  }

  private void comparisonOfLast(AdapterPlan plan, ResidentAdapters resident, List<Adapter> adapters)
      throws LimitExceededException {
    int count = 8;
    try (DeviceFactors factors = plan.allocate(DType.F32, count)) {
      Timing many =
          Timing.ofDevice(
              device, 20, () -> plan.reconstruct(resident, POOL - count, count, factors));
      System.out.printf(
          Locale.ROOT, "%d of them in one launch: %,.1f µs%n", count, many.median() / 1e3);
      for (int n = 0; n < count; n++) {
        comparison.compare(adapters.get(POOL - count + n), factors, n);
      }
    }
  }

  /** Measures what a LoRA stored whole costs instead. */
  private void measureUpload(String model, Adapter adapter) {
    try (Arena arena = Arena.ofShared();
        AdapterPlan plan = device.plan(adapter);
        DeviceFactors factors = plan.allocate(DType.F16, 1)) {
      MemorySegment pageable = arena.allocate(factors.bytes(), 64).fill((byte) 1);
      MemorySegment pinned = device.allocateHost(factors.bytes(), arena).fill((byte) 1);
      Timing slow = Timing.ofWall(device, 20, () -> factors.copyFrom(pageable));
      Timing fast = Timing.ofWall(device, 20, () -> factors.copyFrom(pinned));
      System.out.printf(
          Locale.ROOT,
          "upload of the LoRA of %s in f16, %,d bytes: %,.1f µs from pinned memory, %,.1f µs from other memory%n",
          model,
          factors.bytes(),
          fast.median() / 1e3,
          slow.median() / 1e3);
    }
  }
}
