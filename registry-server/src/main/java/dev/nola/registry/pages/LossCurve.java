package dev.nola.registry.pages;

import dev.nola.registry.jobs.Trainings.Loss;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Losses of a training as a drawing of 600 × 200 units.
 *
 * @param lines one for each metric
 * @param firstStep least step of all points
 * @param lastStep greatest step of all points
 * @param lowest least loss
 * @param highest greatest loss
 */
record LossCurve(List<Line> lines, long firstStep, long lastStep, double lowest, double highest) {
  private static final double MARGIN = 10;
  private static final double WIDTH = 600 - 2 * MARGIN;
  private static final double HEIGHT = 200 - 2 * MARGIN;

  /**
   * The line of a metric.
   *
   * @param metric its name
   * @param path of an SVG
   * @param last value of its last point
   */
  public record Line(String metric, String path, double last) {}

  LossCurve {
    lines = List.copyOf(lines);
  }

  /** Draws losses; those that are infinite or not a number are left out. */
  static LossCurve of(List<Loss> losses) {
    List<Loss> points = losses.stream().filter(loss -> Double.isFinite(loss.value())).toList();
    long first = points.stream().mapToLong(Loss::step).min().orElse(0);
    long last = points.stream().mapToLong(Loss::step).max().orElse(0);
    double low = points.stream().mapToDouble(Loss::value).min().orElse(0);
    double high = points.stream().mapToDouble(Loss::value).max().orElse(0);
    Map<String, List<Loss>> byMetric = new LinkedHashMap<>();
    points.forEach(
        point -> byMetric.computeIfAbsent(point.metric(), _ -> new ArrayList<>()).add(point));
    List<Line> lines = new ArrayList<>();
    byMetric.forEach(
        (metric, own) ->
            lines.add(
                new Line(
                    metric,
                    own.stream()
                        .map(
                            point ->
                                String.format(
                                    Locale.ROOT,
                                    "%.1f %.1f",
                                    MARGIN + WIDTH * share(point.step(), first, last),
                                    MARGIN + HEIGHT * (1 - share(point.value(), low, high))))
                        .collect(Collectors.joining("L", "M", "")),
                    own.getLast().value())));
    return new LossCurve(lines, first, last, low, high);
  }

  private static double share(double value, double low, double high) {
    return high > low ? (value - low) / (high - low) : 0;
  }
}
