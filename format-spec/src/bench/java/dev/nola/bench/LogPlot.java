package dev.nola.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Lines of times in µs over logarithmic axes. */
final class LogPlot {
  private static final int WIDTH = 380;
  private static final int HEIGHT = 300;
  private static final int LEFT = 60;
  private static final int TOP = 40;
  private static final int RIGHT = 20;
  private static final int BOTTOM = 50;
  private static final List<String> COLOURS = List.of("#0072b2", "#d55e00", "#009e73", "#cc79a7");

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

  static String svg(List<LogPlot> plots) {
    StringBuilder svg = new StringBuilder();
    svg.append(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n"
            .formatted(plots.size() * WIDTH, HEIGHT));
    svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
    for (int n = 0; n < plots.size(); n++) {
      svg.append("<g transform=\"translate(%d,0)\">\n".formatted(n * WIDTH));
      plots.get(n).draw(svg);
      svg.append("</g>\n");
    }
    return svg.append("</svg>\n").toString();
  }

  private void draw(StringBuilder svg) {
    List<Point> points = lines.values().stream().flatMap(List::stream).toList();
    if (points.isEmpty()) {
      return;
    }
    double lowX = points.stream().mapToDouble(Point::x).min().orElseThrow();
    double highX = points.stream().mapToDouble(Point::x).max().orElseThrow();
    int lowY =
        (int) Math.floor(Math.log10(points.stream().mapToDouble(Point::y).min().orElseThrow()));
    int highY =
        (int) Math.ceil(Math.log10(points.stream().mapToDouble(Point::y).max().orElseThrow()));
    text(svg, WIDTH / 2, 20, "middle", title);
    text(svg, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "middle", axis);
    for (int power = lowY; power <= highY; power++) {
      double y = y(Math.pow(10, power), lowY, highY);
      line(svg, LEFT, y, WIDTH - RIGHT, y, "#ddd");
      text(svg, LEFT - 6, y + 4, "end", label(Math.pow(10, power)));
    }
    points.stream()
        .mapToDouble(Point::x)
        .distinct()
        .forEach(
            value -> {
              double x = x(value, lowX, highX);
              line(svg, x, TOP, x, HEIGHT - BOTTOM, "#ddd");
              text(svg, x, HEIGHT - BOTTOM + 16, "middle", String.valueOf((long) value));
            });
    int n = 0;
    for (Map.Entry<String, List<Point>> entry : lines.entrySet()) {
      String colour = COLOURS.get(n % COLOURS.size());
      StringBuilder path = new StringBuilder();
      for (Point point : entry.getValue()) {
        path.append(
            String.format(
                Locale.ROOT,
                "%s%.1f %.1f",
                path.isEmpty() ? "M" : " L",
                x(point.x, lowX, highX),
                y(point.y, lowY, highY)));
      }
      svg.append(
          "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n"
              .formatted(path, colour));
      svg.append(
          "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n"
              .formatted(LEFT + 8, TOP + 14 + 14 * n, colour, entry.getKey()));
      n++;
    }
  }

  private static double x(double value, double low, double high) {
    return LEFT + Math.log(value / low) / Math.log(high / low) * (WIDTH - LEFT - RIGHT);
  }

  private static double y(double value, int low, int high) {
    return HEIGHT - BOTTOM - (Math.log10(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
  }

  private static String label(double micros) {
    if (micros < 1e3) {
      return String.format(Locale.ROOT, "%.0f µs", micros);
    }
    return micros < 1e6
        ? String.format(Locale.ROOT, "%.0f ms", micros / 1e3)
        : String.format(Locale.ROOT, "%.0f s", micros / 1e6);
  }

  private static void line(
      StringBuilder svg, double x1, double y1, double x2, double y2, String colour) {
    svg.append(
        String.format(
            Locale.ROOT,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>%n",
            x1,
            y1,
            x2,
            y2,
            colour));
  }

  private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
            x,
            y,
            anchor,
            text));
  }
}
