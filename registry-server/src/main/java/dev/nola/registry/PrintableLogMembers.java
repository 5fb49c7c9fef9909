package dev.nola.registry;

import dev.nola.text.Printable;
import org.springframework.boot.json.JsonWriter;
import org.springframework.boot.logging.structured.StructuredLoggingJsonMembersCustomizer;

/**
 * Keeps names that strangers chose from acting on whatever displays the log's JSON, as the pattern
 * of the text log does. JSON itself escapes line feeds, but not characters that reverse text.
 */
final class PrintableLogMembers implements StructuredLoggingJsonMembersCustomizer<Object> {
  private static final String MESSAGE = "message";

  PrintableLogMembers() {}

  @Override
  public void customize(JsonWriter.Members<Object> members) {
    JsonWriter.ValueProcessor<String> printable =
        (path, text) -> MESSAGE.equals(path.name()) ? Printable.line(text) : Printable.lines(text);
    members.applyingValueProcessor(printable.whenInstanceOf(String.class));
  }
}
