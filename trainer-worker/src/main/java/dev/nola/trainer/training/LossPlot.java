package dev.nola.trainer.training;

import dev.nola.trainer.plot.LineChart;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.knowm.xchart.style.Styler;

/** Draws losses by step, as SVG. */
final class LossPlot {
  private static final int MAX_POINTS = 600;
  private static final Color TRAINING = new Color(0x9bb7d4);
  private static final Color VALIDATION = new Color(0xc2410c);

  private LossPlot() {}

  /**
   * Draws the plot of a run.
   *
   * @param file SVG file to write
   * @param training training losses, by step
   * @param validation validation losses, by step
   * @param steps number of steps of the run
   * @throws IOException if the file cannot be written
   */
  static void write(
      Path file, List<MetricsLog.Point> training, List<MetricsLog.Point> validation, long steps)
      throws IOException {
    LineChart chart = new LineChart("step", steps, "loss", Styler.LegendPosition.InsideNE);
    add(chart, "training loss", training, TRAINING);
    add(chart, "validation loss", validation, VALIDATION);
    chart.write(file);
  }

  private static void add(
      LineChart chart, String name, List<MetricsLog.Point> points, Color color) {
    int every = Math.max(1, points.size() / MAX_POINTS);
    List<MetricsLog.Point> drawn =
        IntStream.range(0, points.size())
            .filter(i -> i % every == 0 || i == points.size() - 1)
            .mapToObj(points::get)
            .filter(point -> Double.isFinite(point.value()))
            .toList();
    if (!drawn.isEmpty()) {
      chart.add(
          name,
          new LineChart.Stroke(color, false),
          drawn.stream().mapToDouble(MetricsLog.Point::step).toArray(),
          drawn.stream().mapToDouble(MetricsLog.Point::value).toArray());
    }
  }
}
