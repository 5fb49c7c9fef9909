package dev.nola.trainer.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Where an image comes from; its pixels are decoded each time that they are needed. They are not
 * turned as EXIF says, as in torchvision.
 */
public sealed interface ImageSource {
  /**
   * Decodes the image.
   *
   * @return the pixels
   * @throws InvalidImageException if the file is damaged, or no PNG or JPEG in grey or RGB
   * @throws IOException if the file cannot be read
   */
  Raster decode() throws IOException;

  /**
   * Returns what messages call the image.
   *
   * @return the path of its file, or else words
   */
  default String name() {
    return "image";
  }

  /**
   * Pixels in memory.
   *
   * @param values a byte of each pixel and channel, row by row
   * @param height number of rows
   * @param width number of columns
   * @param channels 1 for grey, 3 for red, green and blue
   */
  record Pixels(byte[] values, int height, int width, int channels) implements ImageSource {
    @Override
    public Raster decode() {
      if (channels == Raster.CHANNELS) {
        return new Raster(values, height, width);
      }
      byte[] pixels = new byte[values.length * Raster.CHANNELS];
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = values[i / Raster.CHANNELS];
      }
      return new Raster(pixels, height, width);
    }
  }

  /**
   * A PNG or JPEG file.
   *
   * @param path the file
   */
  record File(Path path) implements ImageSource {
    @Override
    public String name() {
      return path.toString();
    }

    @Override
    public Raster decode() throws IOException {
      byte[] content = Files.readAllBytes(path);
      try (ImageInputStream in =
          new MemoryCacheImageInputStream(new ByteArrayInputStream(content))) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format(content));
        ImageReader reader = readers.next();
        try {
          reader.setInput(in, true, true);
          return decode(reader);
        } finally {
          reader.dispose();
        }
      } catch (InvalidImageException e) {
        throw e;
      } catch (IOException | RuntimeException e) {
        throw new InvalidImageException(
            path + ": cannot be decoded: " + e.getMessage() + "; must be a whole PNG or JPEG", e);
      }
    }

    private String format(byte[] content) throws IOException {
      if (content.length > 2 && content[0] == (byte) 0x89 && content[1] == 'P') {
        return "png";
      }
      if (content.length > 2 && content[0] == (byte) 0xFF && content[1] == (byte) 0xD8) {
        return "jpeg";
      }
      throw new InvalidImageException(path + ": content is neither PNG nor JPEG");
    }

    private Raster decode(ImageReader reader) throws IOException {
      long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
      if (pixels > Raster.MAX_PIXELS) {
        throw new InvalidImageException(
            "%s: image has %d×%d pixels; must have at most %d"
                .formatted(path, reader.getWidth(0), reader.getHeight(0), Raster.MAX_PIXELS));
      }
      BufferedImage image = reader.read(0);
      if (image.getColorModel().getNumColorComponents() > Raster.CHANNELS) {
        throw new InvalidImageException(
            path + ": image is in CMYK; must be in grey or RGB: convert it");
      }
      return Samples.of(image);
    }
  }
}
