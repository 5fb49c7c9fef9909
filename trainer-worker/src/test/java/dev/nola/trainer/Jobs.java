package dev.nola.trainer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Small jobs that learn in seconds which third of a 6×6 picture is bright. */
public final class Jobs {
  private static final int SIDE = 6;

  private Jobs() {}

  /**
   * Writes data and a job into a folder.
   *
   * @param method its lines of the job, indented by two
   * @param run its lines of the job, indented by two
   */
  public static Path write(Path folder, String method, String run) throws IOException {
    images(folder, "train", 240, 1);
    images(folder, "validation", 60, 2);
    return Files.writeString(
        folder.resolve("job.yaml"),
        """
        model:
          mlp: [36, 24, 3]
        task: classification
        seed: 5
        data:
          format: idx
          train: train-images
          trainLabels: train-labels
          validation: validation-images
          validationLabels: validation-labels
        method:
        %soptimizer:
          learningRate: 0.03
          warmup: 3
        run:
          batch: 32
          threads: 1
        %smetadata:
          description: Which third is bright.
        """
            .formatted(method.indent(2), run.indent(2)));
  }

  private static void images(Path folder, String name, int count, long seed) throws IOException {
    Random random = new Random(seed);
    ByteBuffer images = ByteBuffer.allocate(16 + count * SIDE * SIDE);
    ByteBuffer labels = ByteBuffer.allocate(8 + count);
    images.putInt(0x803).putInt(count).putInt(SIDE).putInt(SIDE);
    labels.putInt(0x801).putInt(count);
    for (int i = 0; i < count; i++) {
      int label = random.nextInt(3);
      labels.put((byte) label);
      for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
        boolean bright = pixel / (SIDE * SIDE / 3) == label;
        images.put((byte) (random.nextInt(150) + (bright ? 90 : 0)));
      }
    }
    Files.write(folder.resolve(name + "-images"), images.array());
    Files.write(folder.resolve(name + "-labels"), labels.array());
  }
}
