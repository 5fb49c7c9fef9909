import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Prints the runs in a folder of run.sh as a Markdown table, with one row for runs that differ only
 * in the seed: {@code java Summary.java OUT}.
 */
final class Summary {
  private record Run(double loss, double accuracy, double bytes, double parameters) {}

  public static void main(String[] arguments) throws IOException {
    TreeMap<String, List<Run>> rows = new TreeMap<>();
    try (Stream<Path> folders = Files.list(Path.of(arguments[0]))) {
      for (Path folder : folders.sorted().toList()) {
        Path result = folder.resolve("result.json");
        if (Files.exists(result)) {
          String json = Files.readString(result);
          rows.computeIfAbsent(
                  folder.getFileName().toString().replaceFirst("-s\\d+$", ""),
                  _ -> new ArrayList<>())
              .add(
                  new Run(
                      number(json, "validationLoss"),
                      number(json, "validationAccuracy"),
                      number(json, "bytes"),
                      number(json, "parameters")));
        }
      }
    }
    System.out.println("| run | seeds | parameters | file | loss | accuracy |");
    System.out.println("|---|--:|--:|--:|--:|--:|");
    rows.forEach(
        (name, runs) ->
            System.out.printf(
                Locale.ROOT,
                "| %s | %d | %,.0f | %,.0f | %s | %s |%n",
                name,
                runs.size(),
                runs.getFirst().parameters,
                runs.getFirst().bytes,
                spread(runs.stream().mapToDouble(Run::loss).toArray()),
                spread(runs.stream().mapToDouble(Run::accuracy).toArray())));
  }

  /** Returns the mean, with minimum and maximum in parentheses. */
  private static String spread(double[] values) {
    double sum = 0;
    double minimum = Double.POSITIVE_INFINITY;
    double maximum = Double.NEGATIVE_INFINITY;
    for (double value : values) {
      sum += value;
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
    }
    String mean = String.format(Locale.ROOT, "%.3f", sum / values.length);
    return values.length == 1
        ? mean
        : String.format(Locale.ROOT, "%s (%.3f to %.3f)", mean, minimum, maximum);
  }

  private static double number(String json, String key) {
    Matcher matcher = Pattern.compile('"' + key + "\"\\s*:\\s*([-+.0-9eE]+)").matcher(json);
    if (!matcher.find()) {
      throw new IllegalArgumentException("no " + key + " in " + json);
    }
    return Double.parseDouble(matcher.group(1));
  }
}
