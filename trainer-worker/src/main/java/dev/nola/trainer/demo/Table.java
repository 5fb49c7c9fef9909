package dev.nola.trainer.demo;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What was measured in this run. */
final class Table {
  private static final int NAME = 58;

  private final Map<String, List<String>> parts = new LinkedHashMap<>();

  Table() {
    for (String title :
        List.of(
            "Accuracy, held-out glosses",
            "Bytes",
            "Seconds",
            "Digest of what it reconstructs to")) {
      parts.put(title, new ArrayList<>());
    }
  }

  void accuracy(String name, double share) {
    add("Accuracy, held-out glosses", name, String.format(Locale.ROOT, "%.1f %%", 100 * share));
  }

  void bytes(String name, long bytes) {
    add("Bytes", name, String.format(Locale.ROOT, "%,d", bytes));
  }

  void time(String name, Duration time) {
    add("Seconds", name, String.format(Locale.ROOT, "%.3f", time.toNanos() / 1e9));
  }

  /** Of a backend; the first 16 digits are enough to see that they are equal. */
  void digest(String backend, String root) {
    add("Digest of what it reconstructs to", backend, root.substring(0, 16) + "…");
  }

  private void add(String part, String name, String value) {
    parts.get(part).add("  " + name + " ".repeat(Math.max(1, NAME - name.length())) + value);
  }

  void print(PrintWriter out) {
    parts.forEach(
        (title, rows) -> {
          out.println(title);
          rows.forEach(out::println);
        });
  }
}
