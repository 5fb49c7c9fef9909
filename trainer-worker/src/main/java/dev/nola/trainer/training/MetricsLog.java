package dev.nola.trainer.training;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A run's {@code metrics.jsonl}: one object per line, each with its step; and the same for
 * TensorBoard.
 */
final class MetricsLog {
  private static final String VALIDATION_LOSS = "validationLoss";
  private static final String EVENTS = "events.out.tfevents.nola";

  /** TensorBoard's names of what is logged. */
  private static final Map<String, String> TAGS =
      Map.of(
          "loss",
          "loss/train",
          VALIDATION_LOSS,
          "loss/validation",
          "validationAccuracy",
          "accuracy/validation",
          "learningRate",
          "optimizer/learningRate",
          "gradientNorm",
          "optimizer/gradientNorm");

  private final Path path;
  private final EventFile events;

  private MetricsLog(Path path, EventFile events) {
    this.path = path;
    this.events = events;
  }

  /**
   * Opens the log of a run that continues after a step; drops what was logged later.
   *
   * @param path the log
   * @param step number of steps taken
   * @param steps number of steps of the run; its last evaluation is dropped, as it is logged again
   */
  static MetricsLog openAfter(Path path, long step, long steps) throws IOException {
    List<String> earlier = new ArrayList<>();
    if (Files.exists(path)) {
      for (String line : Files.readAllLines(path)) {
        boolean isLastEvaluation = stepOf(line) == steps && line.contains(VALIDATION_LOSS);
        if (stepOf(line) <= step && !isLastEvaluation) {
          earlier.add(line + "\n");
        }
      }
    }
    Files.writeString(path, String.join("", earlier));
    EventFile events = EventFile.create(path.resolveSibling(EVENTS));
    for (String line : earlier) {
      show(events, JsonMapper.shared().readTree(line));
    }
    return new MetricsLog(path, events);
  }

  /** Returns the step of a line; the largest number for a line that a killed process began. */
  private static long stepOf(String line) {
    try {
      return JsonMapper.shared().readTree(line).path("step").asLong(Long.MAX_VALUE);
    } catch (JacksonException _) {
      return Long.MAX_VALUE;
    }
  }

  void step(long step, Trainer.Step result) throws IOException {
    append(
        JsonMapper.shared()
            .createObjectNode()
            .put("step", step)
            .put("loss", result.loss())
            .put("learningRate", result.learningRate())
            .put("gradientNorm", result.gradientNorm()));
  }

  void evaluation(long step, Evaluation evaluation) throws IOException {
    append(
        JsonMapper.shared()
            .createObjectNode()
            .put("step", step)
            .put(VALIDATION_LOSS, evaluation.loss())
            .put("validationAccuracy", evaluation.accuracy()));
  }

  private void append(ObjectNode line) throws IOException {
    Files.writeString(
        path,
        JsonMapper.shared().writeValueAsString(line) + "\n",
        StandardCharsets.UTF_8,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
    show(events, line);
  }

  private static void show(EventFile events, JsonNode line) throws IOException {
    Map<String, Double> numbers = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> value : line.properties()) {
      String tag = TAGS.get(value.getKey());
      if (tag != null) {
        numbers.put(tag, value.getValue().asDouble());
      }
    }
    events.append(line.path("step").asLong(), numbers);
  }

  /**
   * A value that was logged.
   *
   * @param step number of the step
   * @param value the value
   */
  record Point(long step, double value) {}

  /** Returns what was logged under a name. */
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
