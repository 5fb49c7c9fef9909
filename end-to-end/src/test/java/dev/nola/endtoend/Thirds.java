package dev.nola.endtoend;

import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobProgress;
import dev.nola.api.job.JobRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A task that trains within seconds: find the bright third of a 6×6 picture. */
final class Thirds {
  private static final int SIDE = 6;

  private Thirds() {}

  /** Returns the keys of a job on the files of {@link #data}. */
  static Map<String, Object> job(int seed, int steps, int checkpointEvery) {
    Map<String, Object> run = new LinkedHashMap<>();
    run.put("batch", 32);
    run.put("threads", 1);
    run.put("steps", steps);
    run.put("checkpointEvery", checkpointEvery);
    return new LinkedHashMap<>(
        Map.of(
            "model",
            Map.of("mlp", List.of(SIDE * SIDE, 24, 3)),
            "task",
            "classification",
            "seed",
            seed,
            "data",
            Map.of(
                "format", "idx",
                "train", "train-images",
                "trainLabels", "train-labels",
                "validation", "validation-images",
                "validationLabels", "validation-labels"),
            "method",
            Map.of("name", "nola", "rank", 6, "k", 16, "l", 16, "bits", 4),
            "optimizer",
            Map.of("learningRate", 0.01),
            "run",
            run));
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

  /** Writes the data files into a subfolder and returns it. */
  static Path data(Path folder) throws IOException {
    Path data = Files.createDirectories(folder.resolve("data"));
    images(data, "train", 240, 1);
    images(data, "validation", 60, 2);
    return data;
  }

  /** Returns a request to train a version of the namespace's {@code mood} on its {@code thirds}. */
  static JobRequest request(String namespace, String version, Map<String, Object> job) {
    return new JobRequest(
        null,
        new JobRequest.Train(
            namespace + "/mood", version, null, null, namespace + "/thirds", job, null, null, 600));
  }

  /** Returns the number of finished steps; 0 before the first report. */
  static long done(JobDetails job) {
    JobProgress progress = job.progress();
    return progress == null ? 0 : progress.done();
  }
}
