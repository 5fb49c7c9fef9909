package dev.nola.trainer;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;

/** Small noisy images whose class is their brightest channel. */
final class Pictures {
  /** The classes, in the order of their names. */
  static final List<String> CLASSES = List.of("blue", "green", "red");

  private static final int SIDE = 8;

  private Pictures() {}

  /** Writes a folder with a folder for each class. */
  static Path folder(Path folder, int ofClass, long seed) throws IOException {
    Random random = new Random(seed);
    for (String name : CLASSES) {
      Path inside = Files.createDirectories(folder.resolve(name));
      for (int i = 0; i < ofClass; i++) {
        BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
          image.setRGB(pixel % SIDE, pixel / SIDE, color(name, random));
        }
        ImageIO.write(image, "png", inside.resolve(i + ".png").toFile());
      }
    }
    return folder;
  }

  /** Writes the same kind of images as {@code NAME-images} and {@code NAME-labels}, in IDX. */
  static void idx(Path folder, String name, int count, long seed) throws IOException {
    Random random = new Random(seed);
    ByteBuffer images = ByteBuffer.allocate(20 + count * SIDE * SIDE * 3);
    ByteBuffer labels = ByteBuffer.allocate(8 + count);
    images.putInt(0x804).putInt(count).putInt(SIDE).putInt(SIDE).putInt(3);
    labels.putInt(0x801).putInt(count);
    for (int i = 0; i < count; i++) {
      int label = random.nextInt(CLASSES.size());
      labels.put((byte) label);
      for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
        int color = color(CLASSES.get(label), random);
        images.put((byte) (color >> 16)).put((byte) (color >> 8)).put((byte) color);
      }
    }
    Files.write(folder.resolve(name + "-images"), images.array());
    Files.write(folder.resolve(name + "-labels"), labels.array());
  }

  private static int color(String name, Random random) {
    int color = 0;
    for (String channel : List.of("red", "green", "blue")) {
      int level = random.nextInt(150) + (channel.equals(name) ? 100 : 0);
      color = color << 8 | level;
    }
    return color;
  }
}
