package dev.nola.registry.web;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.deser.std.StdScalarDeserializer;

/**
 * Reads times as RFC 3339 has them, in the years 1970 to 9999: Jackson would take numbers and years
 * that the database cannot store. Cuts them to microseconds, to which the database would round
 * them, perhaps into the year 10000.
 */
final class TimeDeserializer extends StdScalarDeserializer<Instant> {
  private static final Instant END = Instant.parse("9999-12-31T23:59:59.999999999Z");

  TimeDeserializer() {
    super(Instant.class);
  }

  @Override
  public Instant deserialize(JsonParser parser, DeserializationContext context) {
    if (!parser.hasToken(JsonToken.VALUE_STRING)) {
      return (Instant) context.handleUnexpectedToken(Instant.class, parser);
    }
    String text = parser.getString();
    try {
      Instant time =
          DateTimeFormatter.ISO_OFFSET_DATE_TIME
              .parse(text, Instant::from)
              .truncatedTo(ChronoUnit.MICROS);
      if (!time.isBefore(Instant.EPOCH) && !time.isAfter(END)) {
        return time;
      }
    } catch (DateTimeException _) {
      // refused below
    }
    throw context.weirdStringException(text, Instant.class, "not a time from 1970 to 9999");
  }
}
