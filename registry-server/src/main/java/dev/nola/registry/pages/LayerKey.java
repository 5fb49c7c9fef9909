package dev.nola.registry.pages;

import dev.nola.api.Contents;
import dev.nola.format.Layer;

/**
 * What two versions adapt in common.
 *
 * @param tensor name of the adapted tensor
 * @param slice adapted part, such as {@code 0 to 64 of dimension 0}; empty if it is the whole
 */
record LayerKey(String tensor, String slice) {
  static LayerKey of(Contents.LayerEntry layer) {
    Contents.SliceEntry slice = layer.slice();
    return new LayerKey(
        layer.tensor(),
        slice == null ? "" : part(slice.start(), slice.start() + slice.length(), slice.dim()));
  }

  static LayerKey of(Layer layer) {
    return new LayerKey(
        layer.tensor(),
        layer.slice() == null
            ? ""
            : part(layer.slice().start(), layer.slice().end(), layer.slice().dim()));
  }

  private static String part(int start, int end, int dimension) {
    return "%d to %d of dimension %d".formatted(start, end, dimension);
  }
}
