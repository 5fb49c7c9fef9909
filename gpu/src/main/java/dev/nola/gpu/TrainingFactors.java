package dev.nola.gpu;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.DType;
import dev.nola.generator.Side;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/**
 * The factors of an adapter in training: computed in each step from coefficients, whose gradients
 * are computed from the factors' gradients, all on the device. Only coefficients go to and from the
 * host. One thread at a time launches work; {@link #set} and {@link #products} may be called by
 * several.
 */
public final class TrainingFactors implements AutoCloseable {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final CudaDevice device;
  private final long seed;
  private final FactorPlan factors;
  private final AdapterPlan plan;

  /** Frees everything, what was allocated last first. */
  private final Deque<Runnable> releases = new ArrayDeque<>();

  /** The slot on the host, which coefficients are written to. */
  private final MemorySegment slot;

  private final ResidentAdapters resident;
  private final DeviceFactors values;
  private final DeviceFactors gradients;
  private final DeviceProducts products;
  private final MemorySegment hostProducts;

  private TrainingFactors(CudaDevice device, Adapter adapter) {
    this.device = device;
    this.seed = adapter.seed();
    this.factors = FactorPlan.ofTraining(adapter);
    this.plan = opened(new AdapterPlan(device, factors), AdapterPlan::close);
    try {
      Arena arena = opened(Arena.ofShared(), Arena::close);
      this.slot = arena.allocate(factors.slotBytes(), Long.BYTES);
      slot.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).putLong(seed);
      this.resident = opened(plan.allocateAdapters(1), ResidentAdapters::close);
      this.values = opened(plan.allocate(DType.F32, 1), DeviceFactors::close);
      this.gradients = opened(plan.allocate(DType.F32, 1), DeviceFactors::close);
      this.products = opened(plan.allocateProducts(), DeviceProducts::close);
      this.hostProducts = arena.allocate(products.bytes(), Double.BYTES);
    } catch (RuntimeException | OutOfMemoryError e) {
      Releases.after(e, this::close);
      throw e;
    }
  }

  /** Takes note of what is to be closed. */
  private <T> T opened(T resource, Consumer<T> close) {
    releases.addFirst(() -> close.accept(resource));
    return resource;
  }

  /**
   * Allocates everything that steps need.
   *
   * @param device the GPU
   * @param adapter has the seed and the layers, with codes of the number and width that {@link
   *     #set} will set
   * @return the factors, of which all codes are still to be set
   * @throws CudaException if the GPU's memory does not suffice
   */
  public static TrainingFactors open(CudaDevice device, Adapter adapter) {
    return new TrainingFactors(device, adapter);
  }

  /**
   * Sets the coefficients of a factor for the next {@link #reconstruct}.
   *
   * @param layer index of the layer
   * @param side the factor
   * @param codes as many, and as wide, as those of the adapter that this was opened with
   * @param scale what the sum of the basis is multiplied by
   * @throws IllegalArgumentException if the codes differ in number or width, or the layer has no
   *     factor on this side
   */
  public void set(int layer, Side side, Codes codes, float scale) {
    FactorPlan.Source source = factors.source(layer, side);
    factors.requireSameShape(layer, side, codes);
    byte[] packed = codes.toPacked();
    MemorySegment.copy(packed, 0, slot, ValueLayout.JAVA_BYTE, source.codes(), packed.length);
    slot.set(FLOAT, source.scale(), scale);
  }

  /** Uploads the coefficients and launches the computation of all factors. */
  public void reconstruct() {
    resident.write(0, slot);
    plan.reconstruct(resident, 0, 1, values);
  }

  /**
   * Copies a factor to memory of the device that another library manages, as f32, row-major.
   *
   * @param layer index of the layer
   * @param side the factor
   * @param address receives {@link #length} elements
   */
  public void copyFactor(int layer, Side side, long address) {
    device.use().copyOnDevice(address, values.address(0, layer, side), bytes(layer, side));
  }

  /**
   * Takes the gradient of a factor from memory of the device that another library manages.
   *
   * @param layer index of the layer
   * @param side the factor
   * @param address has {@link #length} elements in f32, row-major
   */
  public void takeGradient(int layer, Side side, long address) {
    device.use().copyOnDevice(gradients.address(0, layer, side), address, bytes(layer, side));
  }

  /** Computes the products of all bases with the gradients that were taken, and waits for them. */
  public void project() {
    plan.project(seed, gradients, products);
    products.copyTo(hostProducts);
  }

  /**
   * Returns the products of a factor's basis with its gradient, after {@link #project}.
   *
   * @param layer index of the layer
   * @param side the factor
   * @return Σₑ bᵢ[e]·gradient[e] for each coefficient, with the bits of {@code Kernel.project}
   */
  public double[] products(int layer, Side side) {
    FactorPlan.Place place = products.place(layer, side);
    return hostProducts
        .asSlice(place.start() * Double.BYTES, (long) place.length() * Double.BYTES)
        .toArray(ValueLayout.JAVA_DOUBLE);
  }

  /**
   * Returns the number of elements of a factor.
   *
   * @param layer index of the layer
   * @param side the factor
   * @return its rows times its columns
   */
  public int length(int layer, Side side) {
    return values.length(layer, side);
  }

  private long bytes(int layer, Side side) {
    return (long) length(layer, side) * Float.BYTES;
  }

  @Override
  public void close() {
    List<Runnable> all = List.copyOf(releases);
    releases.clear();
    Releases.runAll(all);
  }
}
