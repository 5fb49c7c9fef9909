package dev.nola.trainer;

import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.command.Table;
import dev.nola.files.Destination;
import dev.nola.generator.Generator;
import dev.nola.trainer.coverage.CoveragePlot;
import dev.nola.trainer.coverage.CoveragePoint;
import dev.nola.trainer.coverage.RankCoverage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Compares the weight updates that NOLA and PRANC can reach. */
@Command(
    name = "rank-coverage",
    description = {
      "Measure how much of the space of weight updates NOLA and PRANC cover with equal numbers of"
          + " coefficients (the paper's figure 2).",
      "The rank of the covariance of random d×d updates is divided by d². Ranks are exact."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola rank-coverage",
      "  nola rank-coverage --sizes 16 --ranks 1,4 --coefficients 8,16,24+8 --plot coverage.svg"
    })
final class RankCoverageCommand implements Callable<Integer> {
  /** Its d² vectors of d² elements have 128 MB. */
  private static final int MAX_SIZE = 64;

  @Option(
      names = "--sizes",
      split = ",",
      paramLabel = "D",
      description = "Updates are D×D; at most 64. Default: ${DEFAULT-VALUE}.")
  private List<Integer> sizes = List.of(8, 16, 32);

  @Option(
      names = "--ranks",
      split = ",",
      paramLabel = "R",
      description = "Rank of NOLA's products. Default: ${DEFAULT-VALUE}.")
  private List<Integer> ranks = List.of(4);

  @Option(
      names = "--coefficients",
      split = ",",
      converter = Split.Converter.class,
      paramLabel = "N",
      description =
          "Numbers of coefficients: N, of which NOLA has half for each factor, or K+L. Default:"
              + " powers of two up to D², or 2.")
  private List<Split> coefficients = List.of();

  @Option(
      names = "--generator",
      paramLabel = "NAME",
      description = "Generator of the bases. Default: ${DEFAULT-VALUE}, the paper's.")
  private String generator = Generator.UNIFORM24.label();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of bases and coefficients. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--plot",
      converter = OutputPath.class,
      paramLabel = "FILE",
      description = "Draw the coverage as SVG.")
  private @Nullable Path plot;

  @Mixin private Output output = new Output();

  /** Coefficients of NOLA's factors; PRANC has their sum. */
  private record Split(int k, int l) {
    static Split of(int n) {
      return new Split(n - n / 2, n / 2);
    }

    static final class Converter implements ITypeConverter<Split> {
      @Override
      public Split convert(String text) {
        String[] parts = text.split("\\+", -1);
        try {
          Split split =
              parts.length == 2
                  ? new Split(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]))
                  : of(Integer.parseInt(text));
          if (split.k >= 1 && split.l >= 1) {
            return split;
          }
        } catch (NumberFormatException _) {
          // refused below
        }
        throw new TypeConversionException(
            "'%s' is not a number, 2 or more, and not K+L".formatted(text));
      }
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    require(sizes, MAX_SIZE, "--sizes");
    require(ranks, MAX_SIZE, "--ranks");
    if (plot != null) {
      Destination.requireFile(plot);
    }
    RankCoverage coverage = new RankCoverage(generator(), seed);
    List<CoveragePlot.Curve> curves = new ArrayList<>();
    for (int size : new LinkedHashSet<>(sizes)) {
      for (int rank : new LinkedHashSet<>(ranks)) {
        List<CoveragePoint> points = new ArrayList<>();
        for (Split split : splits(size)) {
          points.add(
              new CoveragePoint(
                  size,
                  rank,
                  split.k,
                  split.l,
                  coverage.nola(size, rank, split.k, split.l),
                  coverage.pranc(size, split.k + split.l)));
        }
        points.sort(Comparator.comparingInt(CoveragePoint::coefficients));
        curves.add(new CoveragePlot.Curve(size, rank, points));
      }
    }
    if (plot != null) {
      CoveragePlot.write(plot, curves);
    }
    List<CoveragePoint> points = curves.stream().flatMap(curve -> curve.points().stream()).toList();
    output.print(
        new Report(generator, seed, points.stream().map(Row::of).toList()),
        out -> print(points, out));
    return ExitCode.OK;
  }

  private List<Split> splits(int size) {
    return coefficients.isEmpty()
        ? IntStream.iterate(2, n -> n <= Math.max(2, size * size), n -> 2 * n)
            .mapToObj(Split::of)
            .toList()
        : coefficients;
  }

  private static void require(List<Integer> values, int maximum, String option) {
    for (int value : values) {
      if (value < 1 || value > maximum) {
        throw new IllegalArgumentException(
            "invalid %s: %d; must be 1 to %d".formatted(option, value, maximum));
      }
    }
  }

  private Generator generator() {
    return Generator.PSEUDORANDOM.stream()
        .filter(each -> each.label().equals(generator))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "invalid --generator: %s; must be one of %s"
                        .formatted(
                            generator,
                            Generator.PSEUDORANDOM.stream()
                                .map(Generator::label)
                                .collect(Collectors.joining(", ")))));
  }

  private static void print(List<CoveragePoint> points, PrintWriter out) {
    Table table = new Table("size", "rank", "coefficients", "NOLA", "PRANC");
    for (CoveragePoint point : points) {
      table.row(
          "%1$d×%1$d".formatted(point.size()),
          Integer.toString(point.rank()),
          "%d = %d+%d".formatted(point.coefficients(), point.k(), point.l()),
          percent(point.nola(), point.nolaCoverage()),
          percent(point.pranc(), point.prancCoverage()));
    }
    table.print(out);
  }

  private static String percent(int dimensions, double coverage) {
    return String.format(Locale.ROOT, "%.1f %% (%d)", 100 * coverage, dimensions);
  }

  /** What {@code --json} prints. */
  private record Report(String generator, long seed, List<Row> points) {}

  /** What {@code --json} prints of a point. */
  private record Row(int size, int rank, int k, int l, Reached nola, Reached pranc) {
    static Row of(CoveragePoint point) {
      return new Row(
          point.size(),
          point.rank(),
          point.k(),
          point.l(),
          new Reached(point.nola(), point.nolaCoverage()),
          new Reached(point.pranc(), point.prancCoverage()));
    }
  }

  /** Dimensions of the space, and their share of all. */
  private record Reached(int dimensions, double coverage) {}
}
