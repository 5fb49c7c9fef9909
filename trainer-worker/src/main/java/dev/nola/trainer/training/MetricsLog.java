package dev.nola.trainer.training;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A run's {@code metrics.jsonl}: an object a line, each with the step that it is of. */
final class MetricsLog {
  private final Path path;

  private MetricsLog(Path path) {
    this.path = path;
  }

  /** The log of a run that goes on after a step: what came later is dropped. */
  static MetricsLog after(Path path, long step) throws IOException {
    List<String> kept = new ArrayList<>();
    if (Files.exists(path)) {
      for (String line : Files.readAllLines(path)) {
        if (stepOf(line) <= step) {
          kept.add(line + "\n");
        }
      }
    }
    Files.writeString(path, String.join("", kept));
    return new MetricsLog(path);
  }

  /** Of a line that a killed process has not finished: later than all. */
  private static long stepOf(String line) {
    try {
      return JsonMapper.shared().readTree(line).path("step").asLong(Long.MAX_VALUE);
    } catch (JacksonException unfinished) {
      return Long.MAX_VALUE;
    }
  }

  void step(long step, Trainer.Step done) throws IOException {
    append(
        JsonMapper.shared()
            .createObjectNode()
            .put("step", step)
            .put("loss", done.loss())
            .put("learningRate", done.learningRate())
            .put("gradientNorm", done.gradientNorm()));
  }

  void evaluation(long step, Evaluation evaluation) throws IOException {
    append(
        JsonMapper.shared()
            .createObjectNode()
            .put("step", step)
            .put("validationLoss", evaluation.loss())
            .put("validationAccuracy", evaluation.accuracy()));
  }

  private void append(ObjectNode line) throws IOException {
    Files.writeString(
        path,
        JsonMapper.shared().writeValueAsString(line) + "\n",
        StandardCharsets.UTF_8,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  /** A value by step. */
  record Point(long step, double value) {}

  /** What was logged under a name. */
  List<Point> points(String name) throws IOException {
    List<Point> points = new ArrayList<>();
    for (String line : Files.readAllLines(path)) {
      JsonNode node = JsonMapper.shared().readTree(line);
      if (node.has(name)) {
        points.add(new Point(node.get("step").asLong(), node.get(name).asDouble()));
      }
    }
    return points;
  }
}
