package dev.nola.gpu;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Layer;
import dev.nola.generator.Basis;
import dev.nola.generator.Side;
import dev.nola.reconstruct.ReconstructionDigest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where the factors of an adapter go and which kernels compute them. It depends on everything but
 * the seed, the scales and the codes, so that one plan serves all adapters that were trained alike
 * for a base model. Writes the structures of src/main/cuda/layout.cuh.
 */
final class FactorPlan {
  /** Bytes before the codes section in an adapter's slot: the seed and padding. */
  private static final int SLOT_HEADER = 16;

  /** Slots begin at multiples of this. */
  private static final int SLOT_ALIGNMENT = 16;

  /** Bytes that a kernel may read past the last code. */
  private static final int SLOT_PADDING = 4;

  /** Elements that the beginnings of factors are multiples of; kernels store four at a time. */
  private static final int ALIGNMENT = 64;

  /** Bytes of a launch's arguments. */
  static final int ARGUMENT_BYTES = 56;

  /**
   * The factors that one kernel computes.
   *
   * @param kernel the kernel
   * @param direct whether their layers are in the direct form, which is stored without multipliers
   * @param table the factors
   */
  record Launch(FactorKernel kernel, boolean direct, TileTable table) {}

  private record LaunchKey(FactorKernel kernel, boolean direct) {}

  /**
   * The place of a factor in the output.
   *
   * @param start its first element
   * @param length number of its elements; 0 for side B of the direct form
   */
  record Place(long start, int length) {
    static final Place NONE = new Place(0, 0);
  }

  /** The number and width of a side's codes. */
  private record Width(int count, int bits) {
    static @Nullable Width of(@Nullable Codes codes) {
      return codes == null ? null : new Width(codes.count(), codes.bits());
    }
  }

  /**
   * What the layers of adapters must have in common to share a plan.
   *
   * @param head names tensor, view, rank and slice
   */
  private record Outline(ByteBuffer head, int stream, @Nullable Width a, @Nullable Width b) {
    static Outline of(Layer layer) {
      return new Outline(
          ByteBuffer.wrap(ReconstructionDigest.leafHead(layer)),
          layer.stream(),
          Width.of(layer.codes(Side.A)),
          Width.of(layer.codes(Side.B)));
    }
  }

  /**
   * Where a factor's codes and scale are in a slot.
   *
   * @param codes offset of the codes
   * @param scale offset of the scale
   */
  record Source(long codes, long scale) {}

  private final Adapter sample;
  private final List<Outline> outlines;
  private final List<Map<Side, Place>> places = new ArrayList<>();
  private final List<Map<Side, Source>> sources = new ArrayList<>();
  private final List<Launch> launches = new ArrayList<>();
  private final long elements;
  private final long slotBytes;

  /**
   * @param scaled whether both factors of a layer have a scale; a file's codes section has one for
   *     A alone, so that those of B follow it
   */
  private FactorPlan(Adapter adapter, boolean scaled) {
    this.sample = adapter;
    this.outlines = adapter.layers().stream().map(Outline::of).toList();
    Map<LaunchKey, TileTable> tables = new LinkedHashMap<>();
    long scalesOfB = adapter.layers().stream().mapToLong(FactorPlan::sectionBytes).sum();
    long section = 0;
    long out = 0;
    for (Layer layer : adapter.layers()) {
      Map<Side, Long> scales = new EnumMap<>(Side.class);
      scales.put(Side.A, section);
      scales.put(
          Side.B, scaled ? scalesOfB + (long) places.size() * Float.BYTES : TileTable.NO_SCALE);
      section += Float.BYTES;
      Map<Side, Place> layerPlaces = new EnumMap<>(Side.class);
      Map<Side, Source> layerSources = new EnumMap<>(Side.class);
      for (Side side : Side.values()) {
        Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
        Codes codes = layer.codes(side);
        if (basis == null || codes == null) {
          layerPlaces.put(side, Place.NONE);
          continue;
        }
        FactorKernel kernel = FactorKernel.of(basis, codes);
        tables
            .computeIfAbsent(
                new LaunchKey(kernel, layer.coefficients() instanceof Direct), _ -> new TileTable())
            .add(
                basis,
                codes,
                new TileTable.Offsets(out, section, scales.get(side)),
                FactorKernel.isWide(basis, codes),
                kernel.tiles(basis.length()));
        layerPlaces.put(side, new Place(out, basis.length()));
        layerSources.put(side, new Source(SLOT_HEADER + section, SLOT_HEADER + scales.get(side)));
        section += packedBytes(codes);
        out += (basis.length() + ALIGNMENT - 1L) / ALIGNMENT * ALIGNMENT;
      }
      places.add(layerPlaces);
      sources.add(layerSources);
    }
    if (scaled) {
      section += (long) places.size() * Float.BYTES;
    }
    this.elements = out;
    this.slotBytes =
        (SLOT_HEADER + section + SLOT_PADDING + SLOT_ALIGNMENT - 1)
            / SLOT_ALIGNMENT
            * SLOT_ALIGNMENT;
    tables.forEach((key, table) -> launches.add(new Launch(key.kernel(), key.direct(), table)));
  }

  /**
   * Plans the reconstruction of an adapter and of all that differ from it only in seed, scales and
   * codes.
   *
   * @param adapter the adapter
   * @return the plan
   */
  static FactorPlan of(Adapter adapter) {
    return new FactorPlan(adapter, false);
  }

  /**
   * Plans the factors of an adapter in training, both of which have a scale.
   *
   * @param adapter the adapter
   * @return the plan
   */
  static FactorPlan ofTraining(Adapter adapter) {
    return new FactorPlan(adapter, true);
  }

  /** Returns the size of a layer's scale and codes in a file. */
  private static long sectionBytes(Layer layer) {
    long bytes = Float.BYTES;
    for (Side side : Side.values()) {
      Codes codes = layer.codes(side);
      bytes += codes == null ? 0 : packedBytes(codes);
    }
    return bytes;
  }

  private static int packedBytes(Codes codes) {
    return Math.toIntExact(((long) codes.count() * codes.bits() + 7) / 8);
  }

  /** Returns whether an adapter can be reconstructed by this plan. */
  boolean accepts(Adapter adapter) {
    return sample.generator() == adapter.generator()
        && outlines.equals(adapter.layers().stream().map(Outline::of).toList());
  }

  /** Returns an adapter that this plan accepts. */
  Adapter sample() {
    return sample;
  }

  /** Returns the launches: for each kernel, one per form of layers. */
  List<Launch> launches() {
    return launches;
  }

  /** Returns the number of layers. */
  int layers() {
    return places.size();
  }

  /** Returns the place of a factor. */
  Place place(int layer, Side side) {
    return places.get(layer).getOrDefault(side, Place.NONE);
  }

  /**
   * Returns where a factor's codes and scale are in a slot.
   *
   * @throws IllegalArgumentException if the layer has no factor on this side
   */
  Source source(int layer, Side side) {
    Source source = sources.get(layer).get(side);
    if (source == null) {
      throw new IllegalArgumentException(
          "factor not found: side %s of layer %d, which is in the direct form"
              .formatted(side, layer));
    }
    return source;
  }

  /** Requires codes of the number and width that a factor has in this plan. */
  void requireSameShape(int layer, Side side, Codes codes) {
    Codes planned = Objects.requireNonNull(sample.layers().get(layer).codes(side));
    if (codes.count() != planned.count() || codes.bits() != planned.bits()) {
      throw new IllegalArgumentException(
          "wrong codes of side %s of layer %d: %d of %d bits; must be %d of %d bits"
              .formatted(
                  side, layer, codes.count(), codes.bits(), planned.count(), planned.bits()));
    }
  }

  /** Returns the number of elements of an adapter's output, padding included. */
  long elements() {
    return elements;
  }

  /** Returns the size of an adapter's slot. */
  long slotBytes() {
    return slotBytes;
  }

  /**
   * Writes an adapter as the kernels read it: its seed, and the codes section as in its file.
   *
   * @param adapter an adapter that this plan accepts
   * @param slot receives {@link #slotBytes} bytes
   * @throws IllegalArgumentException if this plan does not accept the adapter
   */
  void writeSlot(Adapter adapter, ByteBuffer slot) {
    if (!accepts(adapter)) {
      throw new IllegalArgumentException(
          "adapter does not fit the plan: %s; must differ from the plan's only in seed, scales and codes"
              .formatted(adapter));
    }
    ByteBuffer bytes = slot.order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(adapter.seed()).putLong(0);
    for (Layer layer : adapter.layers()) {
      bytes.putFloat(layer.scale());
      for (Side side : Side.values()) {
        Codes codes = layer.codes(side);
        if (codes != null) {
          bytes.put(codes.toPacked());
        }
      }
    }
    while (bytes.hasRemaining()) {
      bytes.put((byte) 0);
    }
  }

  /**
   * The addresses of a launch.
   *
   * @param factors of {@link Launch#factors}
   * @param tiles of {@link Launch#tiles}
   * @param slots of the first adapter's slot
   * @param output of the first adapter's output
   */
  record Addresses(long factors, long tiles, long slots, long output) {}

  /**
   * Writes the arguments of a launch.
   *
   * @param addresses where everything is
   * @param type how the factors are stored
   * @param arguments receives {@value #ARGUMENT_BYTES} bytes
   */
  void writeArguments(Addresses addresses, ElementType type, ByteBuffer arguments) {
    arguments
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(addresses.factors())
        .putLong(addresses.tiles())
        .putLong(addresses.slots())
        .putLong(slotBytes)
        .putLong(addresses.output())
        .putLong(elements)
        .putFloat(type.multiplierA())
        .putFloat(type.multiplierB());
  }
}
