package dev.nola.registry.catalog;

import dev.nola.api.Visibility;
import org.springframework.core.convert.converter.Converter;
import org.springframework.stereotype.Component;

/** Reads a query parameter as the JSON bodies write it. */
@Component
final class VisibilityConverter implements Converter<String, Visibility> {
  @Override
  public Visibility convert(String text) {
    return switch (text) {
      case "public" -> Visibility.PUBLIC;
      case "private" -> Visibility.PRIVATE;
      default -> throw new IllegalArgumentException("must be public or private");
    };
  }
}
