package dev.nola.client.diff;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Metadata;
import dev.nola.format.Slice;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What differs between two adapters.
 *
 * @param sameBits whether they reconstruct to the same bits, names and shapes included
 * @param fields what they say differently of themselves
 * @param layers every layer of either, in the order of the first and then of the second
 * @param dense dense tensors that only one has, or that differ
 */
public record AdapterDiff(
    boolean sameBits, List<Field> fields, List<LayerDiff> layers, List<DenseDiff> dense) {
  /** Copies the lists. */
  public AdapterDiff {
    fields = List.copyOf(fields);
    layers = List.copyOf(layers);
    dense = List.copyOf(dense);
  }

  /**
   * A value that differs, such as {@code seed}.
   *
   * @param name the field's name
   * @param first its value in the first adapter
   * @param second its value in the second adapter
   */
  public record Field(String name, String first, String second) {}

  /** Which of the adapters has something. */
  public enum Where {
    /** Only the first. */
    @JsonProperty("first")
    FIRST,
    /** Only the second. */
    @JsonProperty("second")
    SECOND,
    /** Both, with the same bits. */
    @JsonProperty("same")
    SAME,
    /** Both, with other bits. */
    @JsonProperty("changed")
    CHANGED
  }

  /**
   * A layer.
   *
   * @param tensor that it adapts
   * @param slice the adapted part, or null
   * @param where which adapter has it
   * @param distance ‖ΔW₁ − ΔW₂‖ / ‖ΔW₁‖ in Frobenius norms, if both have it with one shape;
   *     infinite if only ΔW₁ is zero
   */
  public record LayerDiff(
      String tensor, @Nullable Slice slice, Where where, @Nullable Double distance) {}

  /**
   * A dense tensor that is not the same in both.
   *
   * @param name the tensor's name
   * @param where which adapter has it
   */
  public record DenseDiff(String name, Where where) {}

  /** Of one part of one tensor, however it is viewed. */
  private record Key(String tensor, @Nullable Slice slice) {
    static Key of(Layer layer) {
      return new Key(layer.tensor(), layer.slice());
    }
  }

  /**
   * Reconstructs and compares two adapters.
   *
   * @param first the first adapter
   * @param second the second adapter
   * @return the differences
   * @throws LimitExceededException if one is beyond what is reconstructed
   */
  public static AdapterDiff of(AdapterFile first, AdapterFile second)
      throws LimitExceededException {
    Reconstructor reconstructor = Reconstructor.standard();
    ReconstructionDigest one = reconstructor.digest(first.adapter());
    ReconstructionDigest two = reconstructor.digest(second.adapter());
    return new AdapterDiff(
        one.root().equals(two.root()),
        fields(first.adapter(), second.adapter()),
        layers(reconstructor, first.adapter(), one, second.adapter(), two),
        dense(first.adapter(), second.adapter()));
  }

  private static List<LayerDiff> layers(
      Reconstructor reconstructor,
      Adapter first,
      ReconstructionDigest one,
      Adapter second,
      ReconstructionDigest two)
      throws LimitExceededException {
    Map<Key, Integer> places = new LinkedHashMap<>();
    for (int i = 0; i < second.layers().size(); i++) {
      places.put(Key.of(second.layers().get(i)), i);
    }
    Function<Layer, Factors> ofFirst = reconstructor.open(first);
    Function<Layer, Factors> ofSecond = reconstructor.open(second);
    List<LayerDiff> diffs = new ArrayList<>();
    for (int i = 0; i < first.layers().size(); i++) {
      Layer layer = first.layers().get(i);
      Integer place = places.remove(Key.of(layer));
      if (place == null) {
        diffs.add(new LayerDiff(layer.tensor(), layer.slice(), Where.FIRST, null));
      } else {
        Sha256 leaf = one.layers().get(i);
        if (leaf.equals(two.layers().get(place))) {
          diffs.add(new LayerDiff(layer.tensor(), layer.slice(), Where.SAME, 0.0));
        } else {
          Layer other = second.layers().get(place);
          diffs.add(
              new LayerDiff(
                  layer.tensor(),
                  layer.slice(),
                  Where.CHANGED,
                  layer.shape().equals(other.shape())
                      ? Distance.between(ofFirst.apply(layer), ofSecond.apply(other))
                      : null));
        }
      }
    }
    places
        .keySet()
        .forEach(key -> diffs.add(new LayerDiff(key.tensor, key.slice, Where.SECOND, null)));
    return diffs;
  }

  private static List<DenseDiff> dense(Adapter first, Adapter second) {
    Map<String, DenseTensor> others = new LinkedHashMap<>();
    second.dense().forEach(tensor -> others.put(tensor.name(), tensor));
    List<DenseDiff> diffs = new ArrayList<>();
    for (DenseTensor tensor : first.dense()) {
      DenseTensor other = others.remove(tensor.name());
      if (!tensor.equals(other)) {
        diffs.add(new DenseDiff(tensor.name(), other == null ? Where.FIRST : Where.CHANGED));
      }
    }
    others.keySet().forEach(name -> diffs.add(new DenseDiff(name, Where.SECOND)));
    return diffs;
  }

  private static List<Field> fields(Adapter first, Adapter second) {
    List<Field> fields = new ArrayList<>();
    Metadata one = first.metadata();
    Metadata two = second.metadata();
    add(fields, "generator", first.generator(), second.generator());
    add(fields, "seed", "0x%016x".formatted(first.seed()), "0x%016x".formatted(second.seed()));
    add(fields, "base.name", first.base().name(), second.base().name());
    add(fields, "base.revision", first.base().revision(), second.base().revision());
    add(fields, "base.identity", first.base().identity(), second.base().identity());
    add(fields, "description", one.description(), two.description());
    add(fields, "task", one.task(), two.task());
    add(fields, "license", one.license(), two.license());
    add(fields, "tags", one.tags(), two.tags());
    add(fields, "metrics", one.metrics(), two.metrics());
    add(fields, "provenance", one.provenance(), two.provenance());
    return fields;
  }

  private static void add(
      List<Field> fields, String name, @Nullable Object first, @Nullable Object second) {
    if (!Objects.equals(first, second)) {
      fields.add(new Field(name, text(first), text(second)));
    }
  }

  private static String text(@Nullable Object value) {
    return value == null ? "" : value.toString();
  }
}
