package dev.nola.trainer.image;

import java.util.random.RandomGenerator;

/**
 * The part of an image that a model sees: its centre or, in training, a part drawn at random.
 *
 * @param height number of rows
 * @param width number of columns
 * @param random whether training draws the part
 * @param padding number of black pixels around the image before training draws
 */
public record Crop(int height, int width, boolean random, int padding) {
  /** Returns the centre; one pixel nearer to the start where it has no middle. */
  Raster center(Raster image) {
    requireRoom(image);
    return image.crop((image.height() - height) / 2, (image.width() - width) / 2, height, width);
  }

  /** Draws a part if training does, else returns the centre. */
  Raster draw(Raster image, RandomGenerator generator) {
    if (!random) {
      return center(image);
    }
    Raster whole = padding == 0 ? image : image.padded(padding);
    requireRoom(whole);
    return whole.crop(
        generator.nextInt(whole.height() - height + 1),
        generator.nextInt(whole.width() - width + 1),
        height,
        width);
  }

  private void requireRoom(Raster image) {
    if (image.height() < height || image.width() < width) {
      throw new IllegalArgumentException(
          "image has %d×%d pixels; must have at least %d×%d to be cropped: set data.resize"
              .formatted(image.height(), image.width(), height, width));
    }
  }
}
