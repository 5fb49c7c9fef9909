package dev.nola.trainer.plot;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** A chart of lines, written as SVG. */
public final class LineChart {
  private static final int WIDTH = 720;
  private static final int HEIGHT = 400;

  static {
    // A chart must need no display, and open no window where there is one.
    System.setProperty("java.awt.headless", "true");
  }

  private final XYChart chart;

  /**
   * Starts a chart; the axis across begins at 0.
   *
   * @param xTitle title of the axis across
   * @param xMaximum largest value of the axis across
   * @param yTitle title of the axis upwards
   * @param legend the corner without lines
   */
  public LineChart(String xTitle, double xMaximum, String yTitle, Styler.LegendPosition legend) {
    chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .xAxisTitle(xTitle)
            .yAxisTitle(yTitle)
            .build();
    chart
        .getStyler()
        .setXAxisMin(0.0)
        .setXAxisMax(xMaximum)
        .setChartBackgroundColor(Color.WHITE)
        .setLegendPosition(legend)
        .setLocale(Locale.ROOT);
  }

  /**
   * How a line is drawn.
   *
   * @param color its color
   * @param isDashed whether it is dashed
   */
  public record Stroke(Color color, boolean isDashed) {}

  /**
   * Adds a line.
   *
   * @param name name in the legend, different from those of other lines
   * @param stroke how it is drawn
   * @param x values across, at least one
   * @param y values upwards, as many
   */
  public void add(String name, Stroke stroke, double[] x, double[] y) {
    XYSeries line = chart.addSeries(name, x, y);
    line.setMarker(SeriesMarkers.NONE).setLineColor(stroke.color());
    if (stroke.isDashed()) {
      line.setLineStyle(SeriesLines.DASH_DASH);
    }
  }

  /**
   * Writes the chart.
   *
   * @param file SVG file to write
   * @throws IOException if the file cannot be written
   */
  public void write(Path file) throws IOException {
    Files.write(file, ChartEncoder.getBytes(chart, "svg"));
  }
}
