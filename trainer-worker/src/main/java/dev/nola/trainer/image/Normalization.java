package dev.nola.trainer.image;

import java.util.List;

/**
 * How bytes become the model's inputs: (byte·scale − mean)/deviation, in f32.
 *
 * @param scale what bytes are multiplied by, usually 1/255
 * @param mean mean of each channel
 * @param deviation standard deviation of each channel
 */
public record Normalization(double scale, List<Double> mean, List<Double> deviation) {
  static final double BYTE = 1 / 255.0;

  /** Inputs from 0 to 1. */
  public static final Normalization NONE =
      new Normalization(BYTE, List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));

  private static final int LEVELS = 256;

  /**
   * Checks the numbers; one for all channels is repeated.
   *
   * @throws IllegalArgumentException if there are not one or three of each, or a deviation is not
   *     above 0
   */
  public Normalization {
    mean = channels(mean);
    deviation = channels(deviation);
    if (deviation.stream().anyMatch(value -> !(value > 0))) {
      throw new IllegalArgumentException(
          "invalid standard deviation: " + deviation + "; must be above 0");
    }
  }

  private static List<Double> channels(List<Double> values) {
    if (values.size() == 1) {
      return List.of(values.getFirst(), values.getFirst(), values.getFirst());
    }
    if (values.size() != Raster.CHANNELS) {
      throw new IllegalArgumentException(
          "invalid number of channels: %s; must be 1 or 3".formatted(values));
    }
    return List.copyOf(values);
  }

  /**
   * Writes an image channel by channel.
   *
   * @param image the image
   * @param target receives 3×height×width numbers
   * @param start where they begin
   */
  void write(Raster image, float[] target, int start) {
    int count = image.height() * image.width();
    for (int channel = 0; channel < Raster.CHANNELS; channel++) {
      float[] values = new float[LEVELS];
      for (int level = 0; level < LEVELS; level++) {
        float scaled = (float) (level * scale);
        values[level] =
            (scaled - mean.get(channel).floatValue()) / deviation.get(channel).floatValue();
      }
      int offset = start + channel * count;
      for (int i = 0; i < count; i++) {
        target[offset + i] = values[image.pixels()[i * Raster.CHANNELS + channel] & 0xFF];
      }
    }
  }
}
