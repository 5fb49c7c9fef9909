package dev.nola.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.stream.Collectors;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Runs the benchmarks, and prints their figures and ratios as the tables of BENCHMARKS.md. */
public final class Benchmarks {
  private Benchmarks() {}

  /**
   * @param arguments a regular expression of the benchmarks to run
   */
  public static void main(String[] arguments) throws RunnerException, IOException {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(arguments[0])
            .forks(1)
            .warmupIterations(4)
            .warmupTime(TimeValue.seconds(1))
            .measurementIterations(5)
            .measurementTime(TimeValue.seconds(1));
    if (!hasGcc()) {
      System.out.println("SKIPPED: the C peers, because there is no gcc");
      options.exclude("\\.c(Ints)?$");
    }
    Collection<RunResult> results = new Runner(options.build()).run();
    Figures figures =
        new Figures(
            results.stream()
                .collect(
                    Collectors.toMap(
                        run -> name(run.getParams()), run -> run.getPrimaryResult().getScore())));
    System.out.println(figures.tables());
    if (figures.haveGrowth()) {
      Path plot = Path.of(System.getenv("NOLA_BENCH_OUTPUT"), "growth.svg");
      Files.createDirectories(plot.getParent());
      Files.write(plot, figures.growthPlot());
      System.out.println("growth plotted to " + plot);
    }
  }

  private static boolean hasGcc() {
    try {
      return new ProcessBuilder("gcc", "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Such as {@code FactorBenchmark.vector UNIFORM8}: parameters by the order of their names. */
  private static String name(BenchmarkParams params) {
    String[] parts = params.getBenchmark().split("\\.");
    String name = parts[parts.length - 2] + "." + parts[parts.length - 1];
    return params.getParamsKeys().stream()
        .sorted()
        .map(params::getParam)
        .collect(Collectors.joining(" ", name + " ", ""))
        .strip();
  }
}
