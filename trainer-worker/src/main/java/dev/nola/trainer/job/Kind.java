package dev.nola.trainer.job;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.nola.text.Label;
import dev.nola.trainer.image.Size;
import dev.nola.trainer.method.Scaling;
import java.math.BigInteger;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The values that a key may have.
 *
 * @param rule rule for a value, such as "a whole number, 1 to 16"
 * @param schema the rule as JSON Schema
 * @param reader converts YAML to the value, or to null if the rule is broken
 */
record Kind<T>(String rule, Map<String, Object> schema, Function<Object, @Nullable T> reader) {
  /** A share of the steps after which none is left. */
  static final double NEVER = 1;

  /** Most runs of a job; each has an adapter file. */
  private static final int MAX_RUNS = 1000;

  private static final BigInteger MAX_SEED = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);

  static Kind<String> text() {
    return new Kind<>(
        "text", Map.of("type", "string"), yaml -> yaml instanceof String text ? text : null);
  }

  /** Accepts text that is not empty. */
  static Kind<String> name() {
    return new Kind<>(
        "text that is not empty",
        Map.of("type", "string", "minLength", 1),
        yaml -> yaml instanceof String text && !text.isEmpty() ? text : null);
  }

  static Kind<List<String>> texts() {
    return new Kind<>(
        "a list of texts",
        Map.of("type", "array", "items", Map.of("type", "string")),
        yaml -> list(yaml, text()));
  }

  /** Accepts two or more different texts, none empty. */
  static Kind<List<String>> names() {
    return new Kind<>(
        "a list of two or more different texts, none empty",
        Map.of("type", "array", "minItems", 2, "uniqueItems", true, "items", name().schema()),
        yaml -> {
          List<String> names = list(yaml, name());
          return names == null || names.size() < 2 || Set.copyOf(names).size() < names.size()
              ? null
              : names;
        });
  }

  static Kind<Path> file() {
    return new Kind<>(
        "a path",
        Map.of("type", "string", "minLength", 1),
        yaml -> {
          try {
            return yaml instanceof String text && !text.isEmpty() ? Path.of(text) : null;
          } catch (InvalidPathException _) {
            return null;
          }
        });
  }

  static Kind<Boolean> flag() {
    return new Kind<>(
        "true or false",
        Map.of("type", "boolean"),
        yaml -> yaml instanceof Boolean flag ? flag : null);
  }

  static Kind<Integer> whole(int min) {
    return whole(min, Integer.MAX_VALUE);
  }

  static Kind<Integer> whole(int min, int max) {
    String rule =
        max == Integer.MAX_VALUE
            ? "a whole number, %d or more".formatted(min)
            : "a whole number, %d to %d".formatted(min, max);
    return new Kind<>(
        rule,
        Map.of("type", "integer", "minimum", min, "maximum", max),
        yaml -> yaml instanceof Integer number && number >= min && number <= max ? number : null);
  }

  /** Accepts two or more whole numbers, all positive. */
  static Kind<List<Integer>> widths() {
    return new Kind<>(
        "a list of two or more whole numbers, all of them positive",
        Map.of("type", "array", "minItems", 2, "items", whole(1).schema()),
        yaml -> {
          List<Integer> widths = list(yaml, whole(1));
          return widths == null || widths.size() < 2 ? null : widths;
        });
  }

  /** Accepts unsigned numbers of 64 bits. */
  static Kind<Long> seed() {
    return new Kind<>(
        "a whole number, 0 to 2⁶⁴−1",
        Map.of("type", "integer", "minimum", 0, "maximum", MAX_SEED),
        yaml -> {
          BigInteger number =
              switch (yaml) {
                case Integer small -> BigInteger.valueOf(small);
                case Long large -> BigInteger.valueOf(large);
                case BigInteger huge -> huge;
                default -> BigInteger.valueOf(-1);
              };
          return number.signum() >= 0 && number.compareTo(MAX_SEED) <= 0
              ? number.longValue()
              : null;
        });
  }

  /** Accepts the length of the shorter side, or height and width. */
  static Kind<Size> size() {
    Kind<Integer> side = whole(1);
    return new Kind<>(
        side.rule + ", or [HEIGHT, WIDTH]",
        Map.of(
            "oneOf",
            List.of(
                side.schema,
                Map.of("type", "array", "minItems", 2, "maxItems", 2, "items", side.schema))),
        yaml -> {
          Integer shorter = side.reader.apply(yaml);
          List<Integer> sides = list(yaml, side);
          return shorter != null
              ? new Size.Shorter(shorter)
              : sides == null || sides.size() != 2
                  ? null
                  : new Size.Exact(sides.get(0), sides.get(1));
        });
  }

  /** Accepts one number, or one of each channel, within bounds. */
  static Kind<List<Double>> channels(Kind<Double> number) {
    return new Kind<>(
        number.rule + ", or a list of three",
        Map.of(
            "oneOf",
            List.of(
                number.schema,
                Map.of("type", "array", "minItems", 3, "maxItems", 3, "items", number.schema))),
        yaml -> {
          Double all = number.reader.apply(yaml);
          List<Double> each = list(yaml, number);
          return all != null ? List.of(all) : each == null || each.size() != 3 ? null : each;
        });
  }

  static Kind<Double> positive() {
    return real(
        "a number above 0", Map.of("exclusiveMinimum", 0), Double.MIN_VALUE, Double.MAX_VALUE);
  }

  /** Accepts true, false, or a share of the steps in a mapping; false is {@link #NEVER}. */
  static Kind<Double> start() {
    Kind<Double> from =
        real(
            "a number from 0 to below 1",
            Map.of("minimum", 0, "exclusiveMaximum", 1),
            0,
            Math.nextDown(1.0));
    Map<String, Object> schema = mapping("from", from);
    return new Kind<>(
        "true, false, or {from: SHARE} with a share from 0 to below 1",
        Map.of("oneOf", List.of(Map.of("type", "boolean"), schema)),
        yaml -> {
          if (yaml instanceof Boolean always) {
            return always ? 0.0 : NEVER;
          }
          Object share = only(yaml, "from");
          return share == null ? null : from.reader.apply(share);
        });
  }

  /** Accepts a number of runs, or those of samples and of starts in a mapping. */
  static Kind<TrainingJob.Repeat> repeat() {
    Kind<Integer> count = whole(1, MAX_RUNS);
    Map<String, Object> grid =
        Map.of(
            "type",
            "object",
            "properties",
            Map.of("samples", count.schema, "starts", count.schema),
            "required",
            List.of("samples", "starts"),
            "additionalProperties",
            false);
    return new Kind<>(
        count.rule + ", or {samples: N, starts: M} of such numbers",
        Map.of("oneOf", List.of(count.schema, grid)),
        yaml -> {
          if (yaml instanceof Map<?, ?> map) {
            Integer samples = map.size() == 2 ? count.read(map.get("samples")) : null;
            Integer starts = count.read(map.get("starts"));
            return samples == null || starts == null
                ? null
                : new TrainingJob.Repeat(samples, starts);
          }
          Integer runs = count.reader.apply(yaml);
          return runs == null ? null : new TrainingJob.Repeat(runs, 1);
        });
  }

  private @Nullable T read(@Nullable Object yaml) {
    return yaml == null ? null : reader.apply(yaml);
  }

  /** Accepts a number of steps, or a share of all steps in a mapping. */
  static Kind<Schedule.Warmup> warmup() {
    Kind<Integer> steps = whole(0);
    Kind<Double> share = belowOne();
    return new Kind<>(
        steps.rule + ", or {share: SHARE} with a share from 0 to below 1",
        Map.of("oneOf", List.of(steps.schema, mapping("share", share))),
        yaml -> {
          Object ofSteps = only(yaml, "share");
          if (ofSteps != null) {
            Double value = share.reader.apply(ofSteps);
            return value == null ? null : Schedule.Warmup.ofShare(value);
          }
          Integer count = steps.reader.apply(yaml);
          return count == null ? null : Schedule.Warmup.ofSteps(count);
        });
  }

  /** Returns the value of a mapping's only key, or null if it is not such a mapping. */
  private static @Nullable Object only(Object yaml, String key) {
    return yaml instanceof Map<?, ?> map && map.keySet().equals(Set.of(key)) ? map.get(key) : null;
  }

  /** Returns the schema of a mapping with one key. */
  private static Map<String, Object> mapping(String key, Kind<?> kind) {
    return Map.of(
        "type",
        "object",
        "properties",
        Map.of(key, kind.schema),
        "required",
        List.of(key),
        "additionalProperties",
        false);
  }

  /** Accepts a factor by this project's rule, or by the paper's in a mapping. */
  static Kind<Scaling> scaling() {
    Kind<Double> factor = positive();
    Map<String, Object> paper = mapping("paper", factor);
    return new Kind<>(
        factor.rule + ", or {paper: NUMBER}",
        Map.of("oneOf", List.of(factor.schema, paper)),
        yaml -> {
          Object ofPaper = only(yaml, "paper");
          Double value = factor.reader.apply(ofPaper == null ? yaml : ofPaper);
          return value == null ? null : new Scaling(value, ofPaper != null);
        });
  }

  static Kind<Double> notNegative() {
    return real("a number, 0 or more", Map.of("minimum", 0), 0, Double.MAX_VALUE);
  }

  static Kind<Double> belowOne() {
    return real(
        "a number from 0 to below 1",
        Map.of("minimum", 0, "exclusiveMaximum", 1),
        0,
        Math.nextDown(1.0));
  }

  static Kind<Double> share() {
    return real(
        "a number above 0 and below 1",
        Map.of("exclusiveMinimum", 0, "exclusiveMaximum", 1),
        Double.MIN_VALUE,
        Math.nextDown(1.0));
  }

  private static Kind<Double> real(
      String rule, Map<String, Object> bounds, double min, double max) {
    Map<String, Object> schema = new TreeMap<>(bounds);
    schema.put("type", "number");
    return new Kind<>(
        rule,
        schema,
        yaml -> {
          double value = yaml instanceof Number number ? number.doubleValue() : Double.NaN;
          return value >= min && value <= max ? value : null; // no for NaN
        });
  }

  /** Accepts the labels of some values. */
  static <T> Kind<T> choice(List<T> values, Function<T, String> label) {
    List<String> labels = values.stream().map(label).toList();
    return new Kind<>(
        alternatives(labels),
        Map.of("enum", labels),
        yaml ->
            yaml instanceof String text && labels.contains(text)
                ? values.get(labels.indexOf(text))
                : null);
  }

  /** Accepts the constants of an enum, in lower case. */
  static <E extends Enum<E>> Kind<E> lowerCase(E[] values) {
    return choice(List.of(values), Label::of);
  }

  /** Returns, say, "nola, pranc or lora". */
  static String alternatives(List<String> labels) {
    return joined(labels, " or ");
  }

  /** Returns, say, "nola, pranc and lora". */
  static String all(List<String> labels) {
    return joined(labels, " and ");
  }

  private static String joined(List<String> labels, String conjunction) {
    int last = labels.size() - 1;
    return last == 0
        ? labels.getFirst()
        : String.join(", ", labels.subList(0, last)) + conjunction + labels.get(last);
  }

  /** Accepts some patterns, by name, and any other pattern. */
  static Kind<Pattern> patterns(Map<String, String> named) {
    return new Kind<>(
        String.join(", ", named.keySet()) + " or an RE2 pattern",
        Map.of("type", "string", "minLength", 1),
        yaml -> {
          try {
            return yaml instanceof String text && !text.isEmpty()
                ? Pattern.compile(named.getOrDefault(text, text))
                : null;
          } catch (PatternSyntaxException _) {
            return null;
          }
        });
  }

  private static <T> @Nullable List<T> list(Object yaml, Kind<T> kind) {
    if (!(yaml instanceof List<?> elements)) {
      return null;
    }
    List<T> values = new ArrayList<>();
    for (Object element : elements) {
      T value = element == null ? null : kind.reader.apply(element);
      if (value == null) {
        return null;
      }
      values.add(value);
    }
    return List.copyOf(values);
  }
}
