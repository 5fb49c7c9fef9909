package dev.nola.trainer.image;

/**
 * A decoded image.
 *
 * @param pixels red, green and blue of each pixel, row by row
 * @param height number of rows
 * @param width number of columns
 */
public record Raster(byte[] pixels, int height, int width) {
  /** Number of channels of every image. */
  public static final int CHANNELS = 3;

  /** Most pixels of an image. */
  static final int MAX_PIXELS = 1 << 26;

  /**
   * Checks the size.
   *
   * @throws IllegalArgumentException if it is not the number of pixels
   */
  public Raster {
    if (pixels.length != height * width * CHANNELS) {
      throw new IllegalArgumentException(
          "%d bytes do not make an image of %d×%d".formatted(pixels.length, height, width));
    }
  }

  /** Returns a rectangle. */
  Raster crop(int top, int left, int rows, int columns) {
    byte[] part = new byte[rows * columns * CHANNELS];
    for (int y = 0; y < rows; y++) {
      System.arraycopy(
          pixels,
          ((top + y) * width + left) * CHANNELS,
          part,
          y * columns * CHANNELS,
          columns * CHANNELS);
    }
    return new Raster(part, rows, columns);
  }

  /** Returns the image with black around it. */
  Raster padded(int border) {
    int rows = height + 2 * border;
    int columns = width + 2 * border;
    byte[] padded = new byte[rows * columns * CHANNELS];
    for (int y = 0; y < height; y++) {
      System.arraycopy(
          pixels,
          y * width * CHANNELS,
          padded,
          ((y + border) * columns + border) * CHANNELS,
          width * CHANNELS);
    }
    return new Raster(padded, rows, columns);
  }

  /** Returns the mirror image. */
  Raster flipped() {
    byte[] mirrored = new byte[pixels.length];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        System.arraycopy(
            pixels,
            (y * width + x) * CHANNELS,
            mirrored,
            (y * width + width - 1 - x) * CHANNELS,
            CHANNELS);
      }
    }
    return new Raster(mirrored, height, width);
  }
}
