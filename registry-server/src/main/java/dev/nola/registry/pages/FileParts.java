package dev.nola.registry.pages;

import dev.nola.api.Contents;
import dev.nola.format.DType;

/**
 * What the bytes of a file are for.
 *
 * @param codes bytes of the coefficients
 * @param dense bytes of the tensors that are stored in full
 * @param manifest bytes of everything else: header, names, shapes, metadata
 */
record FileParts(long codes, long dense, long manifest) {
  static FileParts of(Contents file, long size) {
    long codes = 0;
    for (Contents.LayerEntry layer : file.layers()) {
      codes += bytes(layer.a());
      if (layer.b() != null) {
        codes += bytes(layer.b());
      }
    }
    long dense = 0;
    for (Contents.DenseEntry tensor : file.dense()) {
      long elements = 1;
      for (int length : tensor.shape()) {
        elements *= length;
      }
      dense += elements * DType.valueOf(tensor.dtype()).bytes();
    }
    return new FileParts(codes, dense, size - codes - dense);
  }

  private static long bytes(Contents.SideEntry side) {
    return ((long) side.count() * side.bits() + 7) / 8;
  }
}
