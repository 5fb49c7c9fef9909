package dev.nola.registry.pages;

import dev.nola.api.Contents;
import dev.nola.command.Output;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import org.springframework.web.util.UriUtils;

/** Writes numbers, sizes and times as people read them. */
@Component
public class Show {
  private static final DateTimeFormatter DAY =
      DateTimeFormatter.ofPattern("d MMM yyyy", Locale.ENGLISH).withZone(ZoneOffset.UTC);
  private static final DateTimeFormatter MINUTE =
      DateTimeFormatter.ofPattern("d MMM yyyy, HH:mm 'UTC'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  /** What servers and proxies refuse in paths, even encoded. */
  private static final Pattern UNFIT = Pattern.compile("[;%\\\\\\p{Cntrl}]");

  /** Sizes between which bars are drawn: below and above, a bar is empty or full. */
  private static final double SMALLEST = 100;

  private static final double LARGEST = 100e9;

  private final Clock clock;

  Show(Clock clock) {
    this.clock = clock;
  }

  /**
   * Writes a size.
   *
   * @param bytes how many bytes
   * @return such as {@code 30.4 KB}
   */
  public String bytes(long bytes) {
    return Output.bytes(bytes);
  }

  /**
   * Writes a number with separators.
   *
   * @param number any number
   * @return such as {@code 12,345}
   */
  public String number(long number) {
    return String.format(Locale.ENGLISH, "%,d", number);
  }

  /**
   * Writes how many of something there are.
   *
   * @param number how many
   * @param thing a noun in the singular
   * @return such as {@code 1 layer} or {@code 1,024 layers}
   */
  public String count(long number, String thing) {
    return number(number) + " " + thing + (number == 1 ? "" : "s");
  }

  /**
   * Writes a result of an evaluation with up to four significant digits.
   *
   * @param value any number
   * @return such as {@code 0.8732}
   */
  public String metric(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e6
        ? number((long) value)
        : String.format(Locale.ENGLISH, "%.4g", value);
  }

  /**
   * Writes the scale of a layer with four significant digits.
   *
   * @param layer that has it
   * @return such as {@code 2.704e-04}
   */
  public static String scale(Contents.LayerEntry layer) {
    return String.format(Locale.ENGLISH, "%.4g", Double.parseDouble(layer.scale()));
  }

  /**
   * Writes a ratio.
   *
   * @param ratio 1 or more, of two sizes
   * @return such as {@code 2,690 ×}
   */
  public String times(double ratio) {
    return ratio < 10
        ? String.format(Locale.ENGLISH, "%.1f ×", ratio)
        : number(Math.round(ratio)) + " ×";
  }

  /**
   * Writes a time by the day, or how long ago it was if that is less than a day.
   *
   * @param time in the past; null is written as a dash
   * @return such as {@code 5 minutes ago} or {@code 3 Feb 2026}
   */
  public String ago(@Nullable Instant time) {
    if (time == null) {
      return "–";
    }
    Duration age = Duration.between(time, clock.instant());
    if (age.compareTo(Duration.ofMinutes(1)) < 0) {
      return "just now";
    }
    if (age.compareTo(Duration.ofHours(1)) < 0) {
      return count(age.toMinutes(), "minute") + " ago";
    }
    return age.compareTo(Duration.ofDays(1)) < 0
        ? count(age.toHours(), "hour") + " ago"
        : DAY.format(time);
  }

  /**
   * Writes a time to the minute.
   *
   * @param time any time; null is written as a dash
   * @return such as {@code 3 Feb 2026, 14:05 UTC}
   */
  public String time(@Nullable Instant time) {
    return time == null ? "–" : MINUTE.format(time);
  }

  /**
   * Returns the address of a base model's adapters: its page, or the search for names that paths
   * cannot have.
   *
   * @param model name of the model, which may contain slashes
   * @return such as {@code /base/meta-llama/Llama-2-7b-hf}
   */
  public String baseAddress(String model) {
    boolean fits =
        Stream.of(model.split("/", -1)).allMatch(part -> !part.matches("\\.{0,2}"))
            && !UNFIT.matcher(model).find();
    return fits
        ? "/base/" + UriUtils.encodePath(model, StandardCharsets.UTF_8)
        : "/?base=" + UriUtils.encode(model, StandardCharsets.UTF_8);
  }

  /**
   * Returns how long the bar of a size is, on a logarithmic scale: a file, its LoRA and its tensors
   * are orders of magnitude apart.
   *
   * @param bytes how many bytes
   * @return 0 to 100
   */
  public int bar(long bytes) {
    double share = Math.log(Math.max(bytes, 1) / SMALLEST) / Math.log(LARGEST / SMALLEST);
    return (int) Math.round(100 * Math.clamp(share, 0, 1));
  }
}
