package dev.nola.client.lock;

import dev.nola.client.lock.LockReport.Check;
import dev.nola.client.lock.LockReport.Outcome;
import dev.nola.client.lock.LockReport.Result;
import java.util.List;

/** Formats the result of checking a lock file as Markdown, for a summary in CI. */
public final class MarkdownReport {
  private MarkdownReport() {}

  /**
   * Returns a report's text.
   *
   * @param report the result of a check
   * @return the text
   */
  public static String of(LockReport report) {
    StringBuilder text = new StringBuilder("### nola verify --lock\n\n");
    text.append("| adapter | digest | checks | result |\n|---|---|--:|---|\n");
    for (Result result : report.results()) {
      List<Check> made =
          result.checks().stream().filter(check -> check.outcome() != Outcome.SKIPPED).toList();
      long passed = made.stream().filter(Check::passed).count();
      text.append(
          "| %s | `%.19s…` | %d of %d | %s |\n"
              .formatted(
                  code(result.entry().source()),
                  result.entry().digest(),
                  passed,
                  made.size(),
                  result.passed() ? "verified" : result.refuted() ? "**failed**" : "**unknown**"));
    }
    for (Result result : report.results()) {
      for (Check check : result.checks()) {
        String reason = check.reason();
        if (reason != null) {
          text.append("\n**%s, %s**\n\n".formatted(code(result.entry().source()), check.name()));
          reason.lines().forEach(line -> text.append("    ").append(line).append('\n'));
        }
      }
    }
    return text.toString();
  }

  /** As code, so that nothing in it is taken for Markdown. */
  private static String code(String text) {
    return "`" + text.replaceAll("[`|\\p{Cntrl}]", "?") + "`";
  }
}
