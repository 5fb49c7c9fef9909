package dev.nola.cli.team;

import dev.nola.text.Label;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Formats words and times for tables. */
final class Texts {
  /** The largest list that a command prints. */
  static final int MAX_LISTED = 10_000;

  private static final long HOURS_SHOWN = 48;

  private Texts() {}

  /** Returns the words for constants in JSON, separated by commas. */
  static String words(Collection<? extends Enum<?>> constants) {
    return constants.stream().map(Label::of).collect(Collectors.joining(", "));
  }

  /** Returns values separated by commas; {@code all} in place of null. */
  static String list(@Nullable List<String> values) {
    return values == null ? "all" : String.join(", ", values);
  }

  /** Returns a time to the second, or nothing. */
  static String time(@Nullable Instant time) {
    return time == null ? "" : time.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /** Returns how long ago a time was, such as {@code 5 min ago}; {@code never} in place of null. */
  static String ago(@Nullable Instant time) {
    if (time == null) {
      return "never";
    }
    Duration age = Duration.between(time, Instant.now());
    if (age.toMinutes() < 1) {
      return Math.max(0, age.toSeconds()) + " s ago";
    }
    if (age.toHours() < 1) {
      return age.toMinutes() + " min ago";
    }
    return age.toHours() < HOURS_SHOWN ? age.toHours() + " h ago" : age.toDays() + " d ago";
  }
}
