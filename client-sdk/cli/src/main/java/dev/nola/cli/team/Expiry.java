package dev.nola.cli.team;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads when something expires: a number of days such as 90d, a date, or a time. */
final class Expiry implements ITypeConverter<Instant> {
  private static final Pattern DAYS = Pattern.compile("([1-9][0-9]{0,4})d");

  @Override
  public Instant convert(String text) {
    Matcher days = DAYS.matcher(text);
    if (days.matches()) {
      return Instant.now().plus(Duration.ofDays(Integer.parseInt(days.group(1))));
    }
    try {
      return text.contains("T")
          ? Instant.parse(text)
          : LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant();
    } catch (DateTimeException _) {
      throw new TypeConversionException(
          "invalid time: "
              + text
              + "; must be days such as 90d, a date such as 2027-12-31, or a time such as"
              + " 2027-12-31T12:00:00Z");
    }
  }
}
