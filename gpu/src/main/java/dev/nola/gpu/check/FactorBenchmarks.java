package dev.nola.gpu.check;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.AdapterPlan;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.DeviceAdapterPool;
import dev.nola.gpu.DeviceFactors;
import dev.nola.gpu.ResidentAdapters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** Measures reconstruction, and what it replaces: copying and uploading factors. */
final class FactorBenchmarks {
  private static final int RESIDENT = 1000;
  private static final int TOGETHER = 8;
  private static final int SWITCHES = 40;

  private final CudaDevice device;
  private final Comparison comparison;
  private final Options options;
  private final Measurements measurements;

  FactorBenchmarks(
      CudaDevice device, Comparison comparison, Options options, Measurements measurements) {
    this.device = device;
    this.comparison = comparison;
    this.options = options;
    this.measurements = measurements;
  }

  void run() throws LimitExceededException {
    System.out.printf(
        "%nAll linear layers, r = 16, k = l = 128, 4 bits; medians of %d, in µs. Kernel: by the GPU's clock. Call: from Java,%n"
            + "launch to done. Switch: upload of the compressed adapter, launch to done.%n%n"
            + "| adapter | kernel | call | switch | copy of these bytes on the device |%n"
            + "|---|--:|--:|--:|--:|%n",
        options.repetitions());
    for (Generator generator : Generator.values()) {
      measureOrSkip(Model.LLAMA_7B, generator, DType.F32);
    }
    measureOrSkip(Model.LLAMA_7B, Generator.SRHT, DType.F16);
    measureOrSkip(Model.LLAMA_7B, Generator.SRHT, DType.BF16);
    for (Generator generator : Generator.PSEUDORANDOM) {
      measureOrSkip(Model.LLAMA_70B, generator, DType.F32);
    }
    measureOrSkip(Model.LLAMA_70B, Generator.SRHT, DType.F16);
    System.out.println();
    measurements.run("resident adapters", this::measureResident);
    measurements.run("pool", this::measurePool);
    for (Model model : Model.values()) {
      measurements.run("upload of " + model, () -> measureUpload(model));
    }
  }

  private void measureOrSkip(Model model, Generator generator, DType dtype)
      throws LimitExceededException {
    measurements.run(
        "%s, %s, %s".formatted(model, generator, dtype), () -> measure(model, generator, dtype));
  }

  private void measure(Model model, Generator generator, DType dtype)
      throws LimitExceededException {
    Adapter adapter = model.adapter(generator, 1, options.blocks());
    try (AdapterPlan plan = AdapterPlan.of(device, adapter);
        ResidentAdapters resident = plan.upload(List.of(adapter));
        DeviceFactors factors = plan.allocate(dtype, 1)) {
      factors.fill((byte) 0xFF);
      Runnable launch = () -> plan.reconstruct(resident, 0, 1, factors);
      Timing kernel = Timing.ofDevice(device, options.repetitions(), launch);
      Timing call = Timing.ofWall(device, options.repetitions(), launch);
      Timing change =
          Timing.ofWall(
              device,
              options.repetitions(),
              () -> {
                resident.replace(0, adapter);
                launch.run();
              });
      comparison.compare(adapter, factors, 0);
      try (DeviceFactors copy = plan.allocate(dtype, 1)) {
        Timing copied =
            Timing.ofDevice(device, options.repetitions(), () -> copy.copyFrom(factors));
        System.out.printf(
            Locale.ROOT,
            "| %s, %s, %s | %,.1f | %,.1f | %,.1f | %,.1f |%n",
            model,
            generator,
            dtype.name().toLowerCase(Locale.ROOT),
            kernel.micros(),
            call.micros(),
            change.micros(),
            copied.micros());
      }
    }
  }

  /** Measures a switch between compressed adapters that are resident. */
  private void measureResident() throws LimitExceededException {
    List<Adapter> adapters = new ArrayList<>();
    for (int number = 0; number < RESIDENT; number++) {
      adapters.add(Model.LLAMA_7B.adapter(Generator.SRHT, number, options.blocks()));
    }
    SplittableRandom random = new SplittableRandom(1);
    try (AdapterPlan plan = AdapterPlan.of(device, adapters.getFirst());
        ResidentAdapters resident = plan.upload(adapters);
        DeviceFactors factors = plan.allocate(DType.F32, TOGETHER)) {
      Timing change =
          Timing.ofWall(
              device,
              SWITCHES * options.repetitions(),
              () -> plan.reconstruct(resident, random.nextInt(RESIDENT), 1, factors));
      System.out.printf(
          Locale.ROOT,
          "%,d adapters of 7B resident: %,d bytes; a switch to a random one: %,.1f µs, p99 %,.1f µs%n",
          RESIDENT,
          resident.bytes(),
          change.micros(),
          change.p99() / 1e3);
      int first = RESIDENT - TOGETHER;
      Timing together =
          Timing.ofDevice(
              device,
              options.repetitions(),
              () -> plan.reconstruct(resident, first, TOGETHER, factors));
      System.out.printf(
          Locale.ROOT, "%d of them in one launch: %,.1f µs%n", TOGETHER, together.micros());
      for (int n = 0; n < TOGETHER; n++) {
        comparison.compare(adapters.get(first + n), factors, n);
      }
    }
  }

  /** Compares the memory of a pool of adapters with that of the same adapters as LoRAs. */
  private void measurePool() {
    Adapter adapter = Model.LLAMA_7B.adapter(Generator.SRHT, 0, options.blocks());
    try (AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceAdapterPool pool = DeviceAdapterPool.open(plan, DType.F16, RESIDENT, TOGETHER);
        DeviceFactors factors = plan.allocate(DType.F16, 1)) {
      System.out.printf(
          Locale.ROOT,
          "pool of %,d adapters of 7B: %,d bytes compressed, and %,d for the factors of %d in f16; all as LoRAs in f16, computed: %,d bytes%n",
          RESIDENT,
          pool.bytes() - TOGETHER * factors.bytes(),
          TOGETHER * factors.bytes(),
          TOGETHER,
          RESIDENT * elements(adapter) * DType.F16.bytes());
    }
  }

  /** Returns the number of elements of an adapter's factors. */
  private static long elements(Adapter adapter) {
    long elements = 0;
    for (Layer layer : adapter.layers()) {
      for (Side side : Side.values()) {
        Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
        elements += basis == null ? 0 : basis.length();
      }
    }
    return elements;
  }

  /** Measures what a LoRA that is stored whole costs instead. */
  private void measureUpload(Model model) {
    Adapter adapter = model.adapter(Generator.SRHT, 1, options.blocks());
    try (Arena arena = Arena.ofShared();
        AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceFactors factors = plan.allocate(DType.F16, 1)) {
      MemorySegment pageable = arena.allocate(factors.bytes(), 64).fill((byte) 1);
      MemorySegment pinned = device.allocateHost(factors.bytes(), arena).fill((byte) 1);
      Timing slow = Timing.ofWall(device, options.repetitions(), () -> factors.copyFrom(pageable));
      Timing fast = Timing.ofWall(device, options.repetitions(), () -> factors.copyFrom(pinned));
      System.out.printf(
          Locale.ROOT,
          "upload of %s's LoRA in f16, %,d bytes: %,.1f µs from pinned memory, %,.1f µs from other memory%n",
          model,
          factors.bytes(),
          fast.micros(),
          slow.micros());
    }
  }
}
