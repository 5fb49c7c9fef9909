package dev.nola.demo;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** What was measured in a run. */
final class Measurements {
  private static final int NAME_WIDTH = 58;
  private static final int DIGEST_CHARACTERS = 16; // enough to see that digests are equal

  private final Map<String, Double> accuracy = new LinkedHashMap<>();
  private final Map<String, Long> bytes = new LinkedHashMap<>();
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private final Map<String, String> digests = new LinkedHashMap<>();

  /**
   * What {@code --json} prints of them.
   *
   * @param accuracy share of held-out glosses that are classified right, by method
   * @param bytes size of each file
   * @param seconds duration of each part
   * @param digests root of the reconstruction, by backend
   */
  record Report(
      Map<String, Double> accuracy,
      Map<String, Long> bytes,
      Map<String, Double> seconds,
      Map<String, String> digests) {}

  void accuracy(String method, double share) {
    accuracy.put(method, share);
  }

  void bytes(String file, long size) {
    bytes.put(file, size);
  }

  void time(String part, Duration time) {
    seconds.put(part, time.toNanos() / 1e9);
  }

  void digest(String backend, String root) {
    digests.put(backend, root);
  }

  Report report() {
    return new Report(accuracy, bytes, seconds, digests);
  }

  void print(PrintWriter out) {
    print(out, "Accuracy, held-out glosses", accuracy, share -> format("%.1f %%", 100 * share));
    print(out, "Bytes", bytes, size -> format("%,d", size));
    print(out, "Seconds", seconds, time -> format("%.3f", time));
    print(
        out, "Reconstruction digest", digests, root -> root.substring(0, DIGEST_CHARACTERS) + "…");
  }

  private static <T> void print(
      PrintWriter out, String title, Map<String, T> values, Function<T, String> text) {
    out.println(title);
    values.forEach(
        (name, value) ->
            out.printf(
                "  %s%s%s%n",
                name, " ".repeat(Math.max(1, NAME_WIDTH - name.length())), text.apply(value)));
  }

  private static String format(String format, Object value) {
    return String.format(Locale.ROOT, format, value);
  }
}
