package dev.nola.trainer.image;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;

/**
 * Reads the samples of an image as they are stored, as Pillow does: grey levels are not converted
 * between color spaces, and transparency is ignored.
 */
final class Samples {
  private Samples() {}

  /** Returns 8 bits of each channel: the upper ones of samples of 16 bits. */
  static Raster of(BufferedImage image) {
    byte[] pixels = new byte[image.getHeight() * image.getWidth() * Raster.CHANNELS];
    if (image.getColorModel() instanceof IndexColorModel palette) {
      readPalette(image, palette, pixels);
    } else {
      readChannels(image, pixels);
    }
    return new Raster(pixels, image.getHeight(), image.getWidth());
  }

  private static void readPalette(BufferedImage image, IndexColorModel palette, byte[] pixels) {
    int[] row = new int[image.getWidth()];
    int target = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      image.getRaster().getSamples(0, y, row.length, 1, 0, row);
      for (int index : row) {
        pixels[target++] = (byte) palette.getRed(index);
        pixels[target++] = (byte) palette.getGreen(index);
        pixels[target++] = (byte) palette.getBlue(index);
      }
    }
  }

  private static void readChannels(BufferedImage image, byte[] pixels) {
    java.awt.image.Raster samples = image.getRaster();
    ColorModel model = image.getColorModel();
    boolean isGrey = model.getNumColorComponents() == 1;
    int[] row = new int[image.getWidth()];
    for (int channel = 0; channel < Raster.CHANNELS; channel++) {
      int band = isGrey ? 0 : channel;
      int bits = model.getComponentSize(band);
      for (int y = 0; y < image.getHeight(); y++) {
        samples.getSamples(0, y, row.length, 1, band, row);
        for (int x = 0; x < row.length; x++) {
          pixels[(y * row.length + x) * Raster.CHANNELS + channel] = (byte) toByte(row[x], bits);
        }
      }
    }
  }

  private static int toByte(int sample, int bits) {
    return bits >= 8 ? sample >> bits - 8 : sample * 255 / ((1 << bits) - 1);
  }
}
