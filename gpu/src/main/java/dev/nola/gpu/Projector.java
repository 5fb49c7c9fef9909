package dev.nola.gpu;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Basis;
import dev.nola.generator.Hadamard;
import dev.nola.generator.Side;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Computes transposed products on a device, in the order of {@code Kernel.project}. Writes the
 * structures of src/main/cuda/project.cuh.
 */
final class Projector implements AutoCloseable {
  private static final int ARGUMENT_BYTES = 64;
  private static final int TILE_LOG2 = 12;

  /** The kernels, and the elements or coefficients that a block of them works on. */
  private enum Kernel {
    SRHT_TILE("projectSrhtTile", 256, 1 << TILE_LOG2),
    SRHT_COLUMNS("projectSrhtColumns", 256, 256),
    SRHT_SMALL("projectSrhtSmall", 256, Integer.MAX_VALUE),
    UNIFORM24("projectUniform24", 512, 32),
    UNIFORM8("projectUniform8", 512, 32),
    RADEMACHER("projectRademacher", 512, 32),
    IDENTITY("projectIdentity", 256, 256);

    private final String function;
    private final int threads;
    private final int perBlock;

    Kernel(String function, int threads, int perBlock) {
      this.function = function;
      this.threads = threads;
      this.perBlock = perBlock;
    }
  }

  /** The factors of a kernel, and where their intermediate and their final results begin. */
  private static final class Work {
    private final TileTable table = new TileTable();
    private final List<Long> scratch = new ArrayList<>();
    private final List<Long> products = new ArrayList<>();

    void add(Kernel kernel, int size, Basis basis, Codes codes, Starts starts) {
      table.add(
          basis,
          codes,
          new TileTable.Offsets(starts.gradient(), 0, 0),
          false,
          (size - 1) / kernel.perBlock + 1);
      scratch.add(starts.scratch());
      products.add(starts.products());
    }
  }

  /** Where a factor's elements, intermediate results and products begin. */
  private record Starts(long gradient, long scratch, long products) {}

  /**
   * A launch's tables on a device.
   *
   * @param starts for each factor, where its intermediate results begin; then the same for products
   */
  private record Launch(Kernel kernel, LaunchTables tables, DeviceMemory starts)
      implements AutoCloseable {
    static Launch of(CudaDevice device, Kernel kernel, Work work) {
      LaunchTables tables = LaunchTables.of(device, work.table);
      try (Arena arena = Arena.ofConfined()) {
        long[] starts =
            Stream.concat(work.scratch.stream(), work.products.stream())
                .mapToLong(Long::longValue)
                .toArray();
        MemorySegment host = arena.allocateFrom(ValueLayout.JAVA_LONG, starts);
        return new Launch(kernel, tables, DeviceMemory.of(device, host));
      } catch (RuntimeException e) {
        Releases.after(e, tables::close);
        throw e;
      }
    }

    long scratchStarts() {
      return starts.address();
    }

    long productStarts() {
      return starts.address() + starts.bytes() / 2;
    }

    @Override
    public void close() {
      Releases.runAll(List.of(tables::close, starts::close));
    }
  }

  private final CudaDevice device;
  private final FactorPlan factors;
  private final List<Launch> launches = new ArrayList<>();
  private final List<Map<Side, FactorPlan.Place>> places = new ArrayList<>();
  private final DeviceMemory scratch;
  private final long products;

  Projector(CudaDevice device, FactorPlan factors) {
    this.device = device;
    this.factors = factors;
    Map<Kernel, Work> work = new EnumMap<>(Kernel.class);
    long scratchElements = 0;
    long productElements = 0;
    Adapter sample = factors.sample();
    for (int i = 0; i < factors.layers(); i++) {
      Layer layer = sample.layers().get(i);
      Map<Side, FactorPlan.Place> layerPlaces = new EnumMap<>(Side.class);
      for (Side side : Side.values()) {
        Basis basis = layer.basis(sample.generator(), sample.seed(), side);
        Codes codes = layer.codes(side);
        if (basis == null || codes == null) {
          layerPlaces.put(side, FactorPlan.Place.NONE);
          continue;
        }
        Starts starts =
            new Starts(factors.place(i, side).start(), scratchElements, productElements);
        int columns = Hadamard.columns(basis.length());
        for (Kernel kernel : kernels(basis)) {
          int size = kernel == Kernel.SRHT_TILE ? columns : codes.count();
          work.computeIfAbsent(kernel, _ -> new Work()).add(kernel, size, basis, codes, starts);
          scratchElements += kernel == Kernel.SRHT_TILE ? columns : 0;
        }
        layerPlaces.put(side, new FactorPlan.Place(productElements, codes.count()));
        productElements += codes.count();
      }
      places.add(layerPlaces);
    }
    this.products = productElements;
    this.scratch = new DeviceMemory(device, scratchElements * Double.BYTES);
    try {
      work.forEach((kernel, ofKernel) -> launches.add(Launch.of(device, kernel, ofKernel)));
    } catch (RuntimeException e) {
      Releases.after(e, this::close);
      throw e;
    }
  }

  private static List<Kernel> kernels(Basis basis) {
    return switch (basis.generator()) {
      case SRHT ->
          Hadamard.log2(basis.length()) < TILE_LOG2
              ? List.of(Kernel.SRHT_SMALL)
              : List.of(Kernel.SRHT_TILE, Kernel.SRHT_COLUMNS);
      case UNIFORM24 -> List.of(Kernel.UNIFORM24);
      case UNIFORM8 -> List.of(Kernel.UNIFORM8);
      case RADEMACHER -> List.of(Kernel.RADEMACHER);
      case IDENTITY -> List.of(Kernel.IDENTITY);
    };
  }

  /** Returns the place of a factor's products. */
  FactorPlan.Place place(int layer, Side side) {
    return places.get(layer).getOrDefault(side, FactorPlan.Place.NONE);
  }

  /** Returns the plan of the factors. */
  FactorPlan plan() {
    return factors;
  }

  /** Returns the number of all products. */
  long products() {
    return products;
  }

  /**
   * Launches the products of all factors.
   *
   * @param seed the adapter's seed
   * @param gradient the gradient with respect to the factors, f32, of one adapter
   * @param target receives {@link #products} f64
   */
  void project(long seed, DeviceFactors gradient, DeviceMemory target) {
    if (gradient.dtype() != DType.F32) {
      throw new IllegalArgumentException(
          "wrong type of gradient: %s; must be f32".formatted(gradient.dtype()));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment arguments = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
      for (Launch launch : launches) {
        arguments
            .asByteBuffer()
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(launch.tables().factors().address())
            .putLong(launch.tables().tiles().address())
            .putLong(launch.scratchStarts())
            .putLong(launch.productStarts())
            .putLong(gradient.memory().address())
            .putLong(scratch.address())
            .putLong(target.address())
            .putLong(seed);
        Kernel kernel = launch.kernel();
        device.launch(kernel.function, launch.tables().count(), 1, kernel.threads, arguments);
      }
    }
  }

  @Override
  public void close() {
    List<Runnable> releases = new ArrayList<>();
    launches.forEach(launch -> releases.add(launch::close));
    releases.add(scratch::close);
    launches.clear();
    Releases.runAll(releases);
  }
}
