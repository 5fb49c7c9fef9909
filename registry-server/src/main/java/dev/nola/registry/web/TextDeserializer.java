package dev.nola.registry.web;

import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.JobFailure;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.BeanProperty;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.deser.std.StdScalarDeserializer;

/**
 * Reads texts that can be stored: no numbers, which Jackson would turn into texts, and neither NUL
 * nor half a surrogate pair, which the database refuses or changes. Texts of a program that a
 * worker runs are exempt, since its job must not end because of them: they are stored with
 * replacements.
 */
final class TextDeserializer extends StdScalarDeserializer<String> {
  private static final Set<Class<?>> OUTPUT_OF_PROGRAMS =
      Set.of(Heartbeat.class, Heartbeat.Metric.class, JobFailure.class);

  private final boolean acceptsAll;

  TextDeserializer() {
    this(false);
  }

  private TextDeserializer(boolean acceptsAll) {
    super(String.class);
    this.acceptsAll = acceptsAll;
  }

  @Override
  public ValueDeserializer<?> createContextual(
      DeserializationContext context, @Nullable BeanProperty property) {
    return property != null
            && property.getMember() != null
            && OUTPUT_OF_PROGRAMS.contains(property.getMember().getDeclaringClass())
        ? new TextDeserializer(true)
        : this;
  }

  @Override
  public String deserialize(JsonParser parser, DeserializationContext context) {
    if (!parser.hasToken(JsonToken.VALUE_STRING)) {
      return (String) context.handleUnexpectedToken(String.class, parser);
    }
    String text = parser.getString();
    if (!acceptsAll && !isStorable(text)) {
      throw context.weirdStringException(text, String.class, "not storable");
    }
    return text;
  }

  private static boolean isStorable(String text) {
    return text.codePoints().noneMatch(c -> c == 0 || Character.getType(c) == Character.SURROGATE);
  }
}
