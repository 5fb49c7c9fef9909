package dev.nola.registry.web;

import org.springframework.context.annotation.Configuration;
import org.springframework.core.convert.converter.Converter;
import org.springframework.core.convert.converter.ConverterFactory;
import org.springframework.format.FormatterRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import tools.jackson.databind.json.JsonMapper;

/** Reads the words in query parameters as the JSON bodies write them. */
@Configuration(proxyBeanMethods = false)
class EnumParameterConfiguration implements WebMvcConfigurer {
  private final JsonMapper json;

  EnumParameterConfiguration(JsonMapper json) {
    this.json = json;
  }

  @Override
  public void addFormatters(FormatterRegistry registry) {
    registry.addConverterFactory(new Words(json));
  }

  @SuppressWarnings("rawtypes") // Enum has to be raw: what it is of is not known here
  private record Words(JsonMapper json) implements ConverterFactory<String, Enum> {
    @Override
    public <T extends Enum> Converter<String, T> getConverter(Class<T> type) {
      return text -> json.convertValue(text, type);
    }
  }
}
