package dev.nola.trainer.image;

/**
 * A filter that computes an image of another size, to the bit as Pillow's {@code Image.resize}: its
 * support grows with the reduction, weights have 22 bits after the binary point, and rows are
 * rounded to bytes between the horizontal and the vertical pass.
 */
public enum Resampling {
  /** A triangle of two pixels. */
  BILINEAR(2, 1) {
    @Override
    double weight(double distance) {
      return Math.max(0, 1 - distance);
    }
  },
  /** Cubic pieces over four pixels, with a = −0.5. */
  BICUBIC(3, 2) {
    @Override
    double weight(double distance) {
      double x = distance;
      if (x < 1) {
        return ((1.5 * x - 2.5) * x) * x + 1;
      }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    }
  };

  private static final int BITS = 22;

  private final int code;
  private final double support;

  Resampling(int code, double support) {
    this.code = code;
    this.support = support;
  }

  /** Returns the filter's number in Pillow, which configs state. */
  int code() {
    return code;
  }

  /** Returns the weight of a pixel at a distance of 0 or more. */
  abstract double weight(double distance);

  /**
   * The pixels that make one.
   *
   * @param first number of the first one
   * @param weights a weight for each, as a fraction of 2²²
   */
  private record Window(int first, int[] weights) {}

  /**
   * Computes an image of another size.
   *
   * @param image the image
   * @param height number of rows of the result
   * @param width number of columns of the result
   * @return the result; the image itself if it has this size
   */
  public Raster resize(Raster image, int height, int width) {
    Raster wide = width == image.width() ? image : horizontal(image, windows(image.width(), width));
    return height == wide.height() ? wide : vertical(wide, windows(wide.height(), height));
  }

  private Window[] windows(int from, int to) {
    double scale = (double) from / to;
    double reduction = Math.max(1, scale);
    double reach = support * reduction;
    Window[] windows = new Window[to];
    for (int i = 0; i < to; i++) {
      double center = (i + 0.5) * scale;
      int first = Math.max(0, (int) (center - reach + 0.5));
      int end = Math.min(from, (int) (center + reach + 0.5));
      double[] weights = new double[end - first];
      double sum = 0;
      for (int x = 0; x < weights.length; x++) {
        weights[x] = weight(Math.abs((x + first - center + 0.5) * (1 / reduction)));
        sum += weights[x];
      }
      int[] fractions = new int[weights.length];
      for (int x = 0; x < weights.length; x++) {
        double share = sum == 0 ? weights[x] : weights[x] / sum;
        fractions[x] = (int) (share * (1 << BITS) + (share < 0 ? -0.5 : 0.5));
      }
      windows[i] = new Window(first, fractions);
    }
    return windows;
  }

  private static Raster horizontal(Raster image, Window[] windows) {
    byte[] pixels = new byte[image.height() * windows.length * Raster.CHANNELS];
    int target = 0;
    for (int y = 0; y < image.height(); y++) {
      int row = y * image.width();
      for (Window window : windows) {
        for (int channel = 0; channel < Raster.CHANNELS; channel++) {
          int start = (row + window.first) * Raster.CHANNELS + channel;
          pixels[target++] = sum(image.pixels(), start, Raster.CHANNELS, window.weights);
        }
      }
    }
    return new Raster(pixels, image.height(), windows.length);
  }

  private static Raster vertical(Raster image, Window[] windows) {
    int stride = image.width() * Raster.CHANNELS;
    byte[] pixels = new byte[windows.length * stride];
    int target = 0;
    for (Window window : windows) {
      for (int x = 0; x < stride; x++) {
        pixels[target++] = sum(image.pixels(), window.first * stride + x, stride, window.weights);
      }
    }
    return new Raster(pixels, windows.length, image.width());
  }

  private static byte sum(byte[] pixels, int start, int stride, int[] weights) {
    int sum = 1 << BITS - 1;
    int index = start;
    for (int weight : weights) {
      sum += (pixels[index] & 0xFF) * weight;
      index += stride;
    }
    return (byte) Math.clamp(sum >> BITS, 0, 255);
  }
}
