package dev.nola.gpu.check;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.AdapterPlan;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.DeviceFactors;
import dev.nola.gpu.DeviceMerge;
import dev.nola.gpu.DeviceProducts;
import dev.nola.gpu.DeviceTensor;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Measures what is done with factors on a device: verification, merging, training. */
final class WorkBenchmarks {
  private static final int VERIFIED = 256;

  /** Layers that are compared of a merge and of transposed products. */
  private static final int COMPARED = 7;

  private final CudaDevice device;
  private final Comparison comparison;
  private final Options options;
  private final Measurements measurements;

  WorkBenchmarks(
      CudaDevice device, Comparison comparison, Options options, Measurements measurements) {
    this.device = device;
    this.comparison = comparison;
    this.options = options;
    this.measurements = measurements;
  }

  void run() throws LimitExceededException {
    measurements.run("digests", this::measureDigests);
    for (DType dtype : DType.values()) {
      measurements.run("merge, " + dtype, () -> measureMerge(dtype));
    }
    for (Generator generator : Generator.PSEUDORANDOM) {
      measurements.run("transposed products, " + generator, () -> measureProducts(generator));
    }
  }

  private void measureDigests() throws LimitExceededException {
    List<Adapter> adapters = new ArrayList<>();
    for (int number = 0; number < Math.min(VERIFIED, 8 * options.repetitions()); number++) {
      adapters.add(Model.LLAMA_7B.adapter(Generator.SRHT, number, options.blocks()));
    }
    try (AdapterPlan plan = AdapterPlan.of(device, adapters.getFirst())) {
      long start = System.nanoTime();
      plan.digests(adapters.subList(0, 1));
      long one = System.nanoTime();
      List<ReconstructionDigest> digests = plan.digests(adapters);
      long all = System.nanoTime();
      Reconstructor cpu = Reconstructor.standard();
      cpu.digest(adapters.get(1));
      long cpuStart = System.nanoTime();
      comparison.compareDigest(cpu.digest(adapters.getFirst()), digests.getFirst());
      long cpuEnd = System.nanoTime();
      comparison.compareDigest(cpu.digest(adapters.getLast()), digests.getLast());
      System.out.printf(
          Locale.ROOT,
          "digests of adapters of 7B: one %,.1f ms, %d together %,.1f ms; one on %d processors %,.1f ms%n",
          (one - start) / 1e6,
          adapters.size(),
          (all - one) / 1e6,
          Runtime.getRuntime().availableProcessors(),
          (cpuEnd - cpuStart) / 1e6);
    }
  }

  /** Measures a merge into all linear layers, in place. */
  private void measureMerge(DType dtype) throws LimitExceededException {
    Adapter adapter = Model.LLAMA_7B.adapter(Generator.SRHT, 1, options.blocks());
    List<DeviceTensor> tensors = new ArrayList<>();
    try (Arena arena = Arena.ofShared();
        AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceFactors factors = plan.reconstruct(adapter, DType.F32);
        DeviceMerge merge = DeviceMerge.open(device)) {
      long bytes = 0;
      Map<Long, MemorySegment> weights = new HashMap<>();
      for (Layer layer : adapter.layers()) {
        DeviceTensor tensor = DeviceTensor.allocate(device, dtype, layer.elements());
        tensors.add(tensor);
        bytes += layer.elements() * dtype.bytes();
        tensor.copyFrom(
            weights.computeIfAbsent(layer.elements(), _ -> weights(layer, dtype, arena)));
      }
      Runnable all =
          () -> {
            for (int i = 0; i < tensors.size(); i++) {
              merge.add(
                  tensors.get(i), tensors.get(i), List.of(new DeviceMerge.Term(factors, 0, i, 1)));
            }
          };
      all.run();
      merge.finish();
      for (int layer : compared(adapter)) {
        MemorySegment before =
            Objects.requireNonNull(weights.get(adapter.layers().get(layer).elements()));
        MemorySegment copy = arena.allocate(before.byteSize(), 64).copyFrom(before);
        comparison.compareMerge(adapter, layer, tensors.get(layer), copy);
      }
      Timing onDevice = Timing.ofDevice(device, Math.min(10, options.repetitions()), all);
      Timing wall =
          Timing.ofWall(
              device,
              Math.min(10, options.repetitions()),
              () -> {
                all.run();
                merge.finish();
              });
      System.out.printf(
          Locale.ROOT,
          "merge into all linear layers of 7B, %s in place, %,d bytes: %,.1f ms, from Java %,.1f ms%n",
          dtype.name().toLowerCase(Locale.ROOT),
          bytes,
          onDevice.median() / 1e6,
          wall.median() / 1e6);
    } finally {
      tensors.forEach(DeviceTensor::close);
    }
  }

  /** Returns layers of every kind: the file's order has those of one kind together. */
  private static int[] compared(Adapter adapter) {
    int layers = adapter.layers().size();
    return IntStream.range(0, COMPARED).map(i -> i * layers / COMPARED).toArray();
  }

  private static MemorySegment weights(Layer layer, DType dtype, Arena arena) {
    SplittableRandom random = new SplittableRandom(layer.rows());
    MemorySegment weights = arena.allocate(layer.elements() * dtype.bytes(), 64);
    for (long e = 0; e < layer.elements(); e++) {
      float value = random.nextInt(-1 << 20, 1 << 20) * 0x1p-25f;
      WorkComparison.set(weights, dtype, e, value);
    }
    return weights;
  }

  private void measureProducts(Generator generator) {
    Adapter adapter = Model.LLAMA_7B.adapter(generator, 1, options.blocks());
    try (Arena arena = Arena.ofConfined();
        AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceFactors gradient = plan.allocate(DType.F32, 1);
        DeviceProducts products = plan.allocateProducts()) {
      SplittableRandom random = new SplittableRandom(3);
      MemorySegment host = arena.allocate(gradient.bytes(), 64);
      for (long e = 0; e < gradient.bytes() / Float.BYTES; e++) {
        host.setAtIndex(ValueLayout.JAVA_FLOAT, e, random.nextInt(-1 << 20, 1 << 20) * 0x1p-28f);
      }
      gradient.copyFrom(host);
      Timing timing =
          Timing.ofDevice(
              device,
              Math.min(10, options.repetitions()),
              () -> plan.project(adapter.seed(), gradient, products));
      for (int layer : compared(adapter)) {
        for (Side side : Side.values()) {
          long offset = gradient.address(0, layer, side) - gradient.address(0, 0, Side.A);
          float[] ofFactor =
              host.asSlice(offset, (long) gradient.length(layer, side) * Float.BYTES)
                  .toArray(ValueLayout.JAVA_FLOAT);
          comparison.compareProducts(adapter, layer, side, ofFactor, products.copy(layer, side));
        }
      }
      System.out.printf(
          Locale.ROOT,
          "transposed products of all factors of 7B, %s: %,.3f ms%n",
          generator,
          timing.median() / 1e6);
    }
  }
}
