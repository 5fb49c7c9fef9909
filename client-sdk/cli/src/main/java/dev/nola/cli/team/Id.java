package dev.nola.cli.team;

import java.util.UUID;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the id of a job or token. */
final class Id implements ITypeConverter<UUID> {
  @Override
  public UUID convert(String text) {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException _) {
      throw new TypeConversionException(
          "invalid id: %s; must be a whole UUID, as list shows it".formatted(text));
    }
  }
}
