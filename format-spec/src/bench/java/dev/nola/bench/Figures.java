package dev.nola.bench;

import dev.nola.generator.Generator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The measured times as tables, each with the ratios that matter. Rows of benchmarks that were not
 * run are left out.
 *
 * @param micros µs a call, by benchmark and parameters
 */
record Figures(Map<String, Double> micros) {
  private static final double ELEMENTS =
      (double) FactorBenchmark.LENGTH * FactorBenchmark.COEFFICIENTS;
  private static final double MERGED_BYTES =
      4.0 * MergeBenchmark.SIZE * MergeBenchmark.SIZE; // read and written

  String tables() {
    StringBuilder out = new StringBuilder();
    factors(out);
    libtorch(out);
    transforms(out);
    adapters(out);
    merges(out);
    growth(out);
    return out.toString();
  }

  private OptionalDouble time(String name) {
    Double time = micros.get(name);
    return time == null ? OptionalDouble.empty() : OptionalDouble.of(time);
  }

  private void factors(StringBuilder out) {
    List<String> rows = new ArrayList<>();
    OptionalDouble uniform8 = time("FactorBenchmark.vector UNIFORM8");
    for (Generator generator : Generator.PSEUDORANDOM) {
      OptionalDouble vector = time("FactorBenchmark.vector " + generator.name());
      if (vector.isEmpty()) {
        continue;
      }
      double ours = vector.getAsDouble();
      rows.add(
          row(
              generator.label(),
              number(ours),
              optional(time("FactorBenchmark.scalar " + generator.name())),
              optional(time("FactorBenchmark.c " + generator.name())),
              ratio(time("FactorBenchmark.c " + generator.name()), vector),
              number(ELEMENTS / ours / 1000),
              ratio(uniform8, vector)));
    }
    table(
        out,
        "A factor of 8192 elements from 1000 coefficients, one thread",
        List.of(
            "generator",
            "Java µs",
            "scalar µs",
            "C µs",
            "C ÷ Java",
            "10⁹ elements/s",
            "× uniform8"),
        rows);
  }

  private void libtorch(StringBuilder out) {
    OptionalDouble libtorch = time("LibtorchBenchmark.uniform");
    List<String> rows = new ArrayList<>();
    if (libtorch.isPresent()) {
      rows.add(row("libtorch: uniform_, product", optional(libtorch), "1"));
      for (String name : List.of("vector UNIFORM8", "vector RADEMACHER", "srht")) {
        OptionalDouble ours = time("FactorBenchmark." + name);
        if (ours.isPresent()) {
          rows.add(row(name, optional(ours), ratio(libtorch, ours)));
        }
      }
    }
    table(
        out, "The same factor in libtorch, one thread", List.of("", "µs", "libtorch ÷ ours"), rows);
  }

  private void transforms(StringBuilder out) {
    List<String> rows = new ArrayList<>();
    OptionalDouble srht = time("FactorBenchmark.srht");
    if (srht.isPresent()) {
      rows.add(row("srht factor, 8192 from 1000", optional(srht), "", ""));
    }
    for (String log2 : List.of("13", "20")) {
      OptionalDouble ints = time("TransformBenchmark.vectorInts " + log2);
      OptionalDouble c = time("TransformBenchmark.cInts " + log2);
      if (ints.isPresent()) {
        rows.add(row("FWHT 2^" + log2 + " ints", optional(ints), optional(c), ratio(c, ints)));
        rows.add(
            row(
                "FWHT 2^" + log2 + " doubles",
                optional(time("TransformBenchmark.vectorDoubles " + log2)),
                "",
                ""));
      }
    }
    table(out, "Transforms, one thread", List.of("", "Java µs", "C µs", "C ÷ Java"), rows);
  }

  private void adapters(StringBuilder out) {
    List<String> rows = new ArrayList<>();
    for (AdapterBenchmark.Subject subject : AdapterBenchmark.Subject.values()) {
      OptionalDouble one = time("AdapterBenchmark.verify " + subject.name() + " 1");
      OptionalDouble two = time("AdapterBenchmark.verify " + subject.name() + " 2");
      OptionalDouble read = time("AdapterBenchmark.read " + subject.name());
      OptionalDouble reconstruct = time("AdapterBenchmark.readAndReconstruct " + subject.name());
      if (one.isPresent() && two.isPresent() && read.isPresent() && reconstruct.isPresent()) {
        rows.add(
            row(
                subject.name(),
                number(one.getAsDouble() / 1000),
                number(two.getAsDouble() / 1000),
                ratio(one, two),
                number(read.getAsDouble() / 1000),
                number((reconstruct.getAsDouble() - read.getAsDouble()) / 1000),
                optional(millis(time("AdapterBenchmark.hash " + subject.name())))));
      }
    }
    table(
        out,
        "Whole adapters, from file to digest",
        List.of(
            "adapter",
            "1 thread ms",
            "2 threads ms",
            "speed-up",
            "read ms",
            "generate and round ms",
            "hash ms"),
        rows);
  }

  private void merges(StringBuilder out) {
    List<String> rows = new ArrayList<>();
    for (String rank : List.of("4", "16")) {
      OptionalDouble vector = time("MergeBenchmark.vector " + rank);
      OptionalDouble c = time("MergeBenchmark.c " + rank);
      OptionalDouble copy = time("MergeBenchmark.copy " + rank);
      if (vector.isPresent()) {
        rows.add(
            row(
                rank,
                optional(millis(vector)),
                optional(millis(c)),
                ratio(c, vector),
                number(MERGED_BYTES / vector.getAsDouble() / 1000),
                copy.isPresent() ? number(MERGED_BYTES / copy.getAsDouble() / 1000) : ""));
      }
    }
    table(
        out,
        "Merge into 4096×4096 bf16, one thread",
        List.of("rank", "Java ms", "C ms", "C ÷ Java", "GB/s", "copy GB/s"),
        rows);
  }

  private static final List<String> COEFFICIENTS = List.of("64", "250", "1000", "4000");
  private static final List<String> LENGTHS = List.of("1024", "8192", "65536", "1048576");
  private static final List<String> LAYERS = List.of("2", "8", "24", "72");

  boolean haveGrowth() {
    return micros.keySet().stream().anyMatch(name -> name.startsWith("GrowthBenchmark"));
  }

  private void growth(StringBuilder out) {
    growth(out, "µs by k, 65536 elements", "coefficients", COEFFICIENTS);
    growth(out, "µs by number of elements, k = 1000", "length", LENGTHS);
    List<String> rows = new ArrayList<>();
    for (String threads : List.of("1", "2")) {
      List<String> cells = new ArrayList<>(List.of(threads));
      for (String layers : LAYERS) {
        cells.add(optional(time("GrowthBenchmark.layers " + layers + " " + threads)));
      }
      rows.add(row(cells.toArray(String[]::new)));
    }
    if (haveGrowth()) {
      List<String> heads = new ArrayList<>(List.of("threads"));
      heads.addAll(LAYERS);
      table(out, "µs by number of 1280×1280 matrices, srht, rank 8, k = l = 1000", heads, rows);
    }
  }

  private void growth(StringBuilder out, String title, String benchmark, List<String> at) {
    if (!haveGrowth()) {
      return;
    }
    List<String> rows = new ArrayList<>();
    for (Generator generator : Generator.PSEUDORANDOM) {
      List<String> cells = new ArrayList<>(List.of(generator.label()));
      for (String x : at) {
        cells.add(optional(growthTime(benchmark, generator, x)));
      }
      rows.add(row(cells.toArray(String[]::new)));
    }
    List<String> heads = new ArrayList<>(List.of("generator"));
    heads.addAll(at);
    table(out, title, heads, rows);
  }

  private OptionalDouble growthTime(String benchmark, Generator generator, String x) {
    return time("GrowthBenchmark." + benchmark + " " + generator.name() + " " + x);
  }

  /** Returns the growth tables as one SVG file. */
  byte[] growthPlot() throws IOException {
    LogPlot byCoefficients = new LogPlot("time against k, 65536 elements", "k");
    LogPlot byLength = new LogPlot("time against elements, k = 1000", "elements");
    for (Generator generator : Generator.PSEUDORANDOM) {
      for (String k : COEFFICIENTS) {
        growthTime("coefficients", generator, k)
            .ifPresent(t -> byCoefficients.point(generator.label(), Double.parseDouble(k), t));
      }
      for (String length : LENGTHS) {
        growthTime("length", generator, length)
            .ifPresent(t -> byLength.point(generator.label(), Double.parseDouble(length), t));
      }
    }
    LogPlot byLayers = new LogPlot("time against matrices, srht, k = l = 1000", "matrices");
    for (String threads : List.of("1", "2")) {
      for (String layers : LAYERS) {
        time("GrowthBenchmark.layers " + layers + " " + threads)
            .ifPresent(t -> byLayers.point(threads + " threads", Double.parseDouble(layers), t));
      }
    }
    return LogPlot.svg(List.of(byCoefficients, byLength, byLayers));
  }

  private static void table(
      StringBuilder out, String title, List<String> heads, List<String> rows) {
    if (rows.isEmpty()) {
      return;
    }
    out.append("\n### ").append(title).append("\n\n");
    out.append(row(heads.toArray(String[]::new)));
    out.append("|---|").append("--:|".repeat(heads.size() - 1)).append('\n');
    rows.forEach(out::append);
  }

  private static String row(String... cells) {
    return "| " + String.join(" | ", cells) + " |\n";
  }

  private static OptionalDouble millis(OptionalDouble micros) {
    return micros.isPresent()
        ? OptionalDouble.of(micros.getAsDouble() / 1000)
        : OptionalDouble.empty();
  }

  private static String ratio(OptionalDouble of, OptionalDouble to) {
    return of.isPresent() && to.isPresent() ? number(of.getAsDouble() / to.getAsDouble()) : "";
  }

  private static String optional(OptionalDouble value) {
    return value.isPresent() ? number(value.getAsDouble()) : "";
  }

  /** Three digits or more. */
  private static String number(double value) {
    int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }
}
