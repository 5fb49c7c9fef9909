package dev.nola.trainer.coverage;

import dev.nola.trainer.plot.LineChart;
import dev.nola.trainer.plot.LineChart.Stroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.style.Styler;

/** Draws coverage by number of coefficients, as SVG (the paper's figure 2). */
public final class CoveragePlot {
  private static final List<Color> COLORS =
      List.of(
          new Color(0x1d4ed8),
          new Color(0xc2410c),
          new Color(0x15803d),
          new Color(0x7e22ce),
          new Color(0x64748b));

  private CoveragePlot() {}

  /**
   * What was measured of a size and rank.
   *
   * @param size d
   * @param rank r
   * @param points what was measured, by ascending number of coefficients; at least one
   */
  public record Curve(int size, int rank, List<CoveragePoint> points) {
    /** Copies the list. */
    public Curve {
      points = List.copyOf(points);
    }
  }

  /**
   * Draws the plot.
   *
   * @param file SVG file to write
   * @param curves a size and rank each, at least one
   * @throws IOException if the file cannot be written
   */
  public static void write(Path file, List<Curve> curves) throws IOException {
    double maximum =
        curves.stream()
            .flatMap(curve -> curve.points().stream())
            .mapToInt(CoveragePoint::coefficients)
            .max()
            .orElseThrow();
    LineChart chart =
        new LineChart("coefficients", maximum, "coverage in %", Styler.LegendPosition.InsideSE);
    for (int i = 0; i < curves.size(); i++) {
      Curve curve = curves.get(i);
      Color color = COLORS.get(i % COLORS.size());
      String label =
          String.format(Locale.ROOT, "%d×%d, rank %d", curve.size(), curve.size(), curve.rank());
      add(chart, "NOLA " + label, new Stroke(color, false), curve, CoveragePoint::nolaCoverage);
      add(chart, "PRANC " + label, new Stroke(color, true), curve, CoveragePoint::prancCoverage);
    }
    chart.write(file);
  }

  private static void add(
      LineChart chart,
      String name,
      Stroke stroke,
      Curve curve,
      ToDoubleFunction<CoveragePoint> coverage) {
    chart.add(
        name,
        stroke,
        curve.points().stream().mapToDouble(CoveragePoint::coefficients).toArray(),
        curve.points().stream()
            .mapToDouble(point -> 100 * coverage.applyAsDouble(point))
            .toArray());
  }
}
