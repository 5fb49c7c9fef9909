package dev.nola.bench;

import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;

/** Lines of times in µs over logarithmic axes. */
final class LogPlot {
  private static final int WIDTH = 380;
  private static final int HEIGHT = 300;
  private static final Color[] COLOURS = {
    new Color(0x0072b2), new Color(0xd55e00), new Color(0x009e73), new Color(0xcc79a7)
  };

  static {
    System.setProperty("java.awt.headless", "true");
  }

  private record Point(double x, double y) {}

  private final String title;
  private final String axis;
  private final Map<String, List<Point>> lines = new LinkedHashMap<>();

  LogPlot(String title, String axis) {
    this.title = title;
    this.axis = axis;
  }

  void point(String line, double x, double y) {
    lines.computeIfAbsent(line, _ -> new ArrayList<>()).add(new Point(x, y));
  }

  /** Returns the plots side by side as one SVG file. */
  static byte[] svg(List<LogPlot> plots) throws IOException {
    VectorGraphics2D graphics = new VectorGraphics2D();
    for (LogPlot plot : plots) {
      plot.chart().paint(graphics, WIDTH, HEIGHT);
      graphics.translate(WIDTH, 0);
    }
    ByteArrayOutputStream svg = new ByteArrayOutputStream();
    new SVGProcessor()
        .getDocument(graphics.getCommands(), new PageSize(plots.size() * WIDTH, HEIGHT))
        .writeTo(svg);
    return svg.toByteArray();
  }

  private XYChart chart() {
    XYChart chart =
        new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(axis).build();
    chart
        .getStyler()
        .setXAxisLogarithmic(true)
        .setYAxisLogarithmic(true)
        .setYAxisLogarithmicDecadeOnly(true)
        .setYAxisTickLabelsFormattingFunction(LogPlot::label)
        .setChartBackgroundColor(Color.WHITE)
        .setLegendPosition(Styler.LegendPosition.InsideNW)
        .setSeriesColors(COLOURS)
        .setLocale(Locale.ROOT);
    lines.forEach(
        (name, points) ->
            chart.addSeries(
                name,
                points.stream().mapToDouble(Point::x).toArray(),
                points.stream().mapToDouble(Point::y).toArray()));
    return chart;
  }

  private static String label(double micros) {
    if (micros < 1e3) {
      return String.format(Locale.ROOT, "%.0f µs", micros);
    }
    return micros < 1e6
        ? String.format(Locale.ROOT, "%.0f ms", micros / 1e3)
        : String.format(Locale.ROOT, "%.0f s", micros / 1e6);
  }
}
