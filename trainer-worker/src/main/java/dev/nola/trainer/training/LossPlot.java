package dev.nola.trainer.training;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Draws losses by step, as SVG. */
final class LossPlot {
  private static final int WIDTH = 720;
  private static final int HEIGHT = 400;
  private static final int MARGIN = 56;
  private static final int TICKS = 5;
  private static final int MOST_POINTS = 600;

  private LossPlot() {}

  static String svg(
      List<MetricsLog.Point> training, List<MetricsLog.Point> validation, long steps) {
    double low = values(training, validation).min().orElse(0);
    double high = values(training, validation).max().orElse(1);
    double range = high > low ? high - low : 1;
    StringBuilder svg = new StringBuilder();
    svg.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
        <rect width="100%%" height="100%%" fill="white"/>
        """
            .formatted(WIDTH, HEIGHT));
    for (int i = 0; i <= TICKS; i++) {
      double share = (double) i / TICKS;
      double y = y(share);
      double x = x(share);
      svg.append(
          String.format(
              Locale.ROOT,
              "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>%n",
              MARGIN,
              WIDTH - MARGIN,
              y,
              y));
      svg.append(
          String.format(
              Locale.ROOT,
              "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>%n",
              MARGIN - 6,
              y + 4,
              low + share * range));
      svg.append(
          String.format(
              Locale.ROOT,
              "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>%n",
              x,
              HEIGHT - MARGIN + 18,
              Math.round(share * steps)));
    }
    svg.append(line(training, low, range, steps, "#9bb7d4", 1));
    svg.append(line(validation, low, range, steps, "#c2410c", 2));
    svg.append(
        """
        <text x="%d" y="24" fill="#5b7fa6">training loss</text>
        <text x="%d" y="24" fill="#c2410c">validation loss</text>
        <text x="%d" y="%d" text-anchor="middle">step</text>
        </svg>
        """
            .formatted(MARGIN, MARGIN + 110, WIDTH / 2, HEIGHT - 14));
    return svg.toString();
  }

  private static DoubleStream values(
      List<MetricsLog.Point> training, List<MetricsLog.Point> validation) {
    return Stream.concat(training.stream(), validation.stream())
        .mapToDouble(MetricsLog.Point::value)
        .filter(Double::isFinite);
  }

  private static String line(
      List<MetricsLog.Point> points,
      double low,
      double range,
      long steps,
      String color,
      int width) {
    int every = Math.max(1, points.size() / MOST_POINTS);
    String path =
        IntStream.range(0, points.size())
            .filter(i -> i % every == 0 || i == points.size() - 1)
            .mapToObj(points::get)
            .filter(point -> Double.isFinite(point.value()))
            .map(
                point ->
                    String.format(
                        Locale.ROOT,
                        "%.1f,%.1f",
                        x((double) point.step() / steps),
                        y((point.value() - low) / range)))
            .collect(Collectors.joining(" "));
    return "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%d\" points=\"%s\"/>%n"
        .formatted(color, width, path);
  }

  private static double x(double share) {
    return MARGIN + share * (WIDTH - 2 * MARGIN);
  }

  private static double y(double share) {
    return HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN);
  }
}
