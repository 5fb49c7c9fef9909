package dev.nola.trainer.training;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws losses by step, as SVG. */
final class LossPlot {
  private static final int WIDTH = 720;
  private static final int HEIGHT = 400;
  private static final int MAX_POINTS = 600;
  private static final Color TRAINING = new Color(0x9bb7d4);
  private static final Color VALIDATION = new Color(0xc2410c);

  static {
    // A plot must need no display, and open no window where there is one.
    System.setProperty("java.awt.headless", "true");
  }

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
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .xAxisTitle("step")
            .yAxisTitle("loss")
            .build();
    chart
        .getStyler()
        .setXAxisMin(0.0)
        .setXAxisMax((double) steps)
        .setChartBackgroundColor(Color.WHITE)
        .setLegendPosition(Styler.LegendPosition.InsideNE)
        .setLocale(Locale.ROOT);
    add(chart, "training loss", training, TRAINING);
    add(chart, "validation loss", validation, VALIDATION);
    Files.write(file, ChartEncoder.getBytes(chart, "svg"));
  }

  private static void add(XYChart chart, String name, List<MetricsLog.Point> points, Color color) {
    int every = Math.max(1, points.size() / MAX_POINTS);
    List<MetricsLog.Point> drawn =
        IntStream.range(0, points.size())
            .filter(i -> i % every == 0 || i == points.size() - 1)
            .mapToObj(points::get)
            .filter(point -> Double.isFinite(point.value()))
            .toList();
    if (!drawn.isEmpty()) {
      chart
          .addSeries(
              name,
              drawn.stream().mapToDouble(MetricsLog.Point::step).toArray(),
              drawn.stream().mapToDouble(MetricsLog.Point::value).toArray())
          .setMarker(SeriesMarkers.NONE)
          .setLineColor(color);
    }
  }
}
