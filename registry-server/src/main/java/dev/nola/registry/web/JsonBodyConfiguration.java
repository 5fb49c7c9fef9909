package dev.nola.registry.web;

import org.springframework.context.annotation.Configuration;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.http.converter.HttpMessageConverters;
import org.springframework.http.converter.json.JacksonJsonHttpMessageConverter;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;

/**
 * Reads bodies of requests more strictly than JSON that the registry has stored: what one program
 * would read otherwise than another, such as a property that is there twice or a number in quotes,
 * is refused.
 */
@Configuration(proxyBeanMethods = false)
class JsonBodyConfiguration implements WebMvcConfigurer {
  private final JsonMapper json;

  JsonBodyConfiguration(JsonMapper json) {
    this.json =
        json.rebuild()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfigDefaults(
                rules -> rules.setCoercion(CoercionInputShape.EmptyString, CoercionAction.Fail))
            .addModule(
                new SimpleModule("nola-texts")
                    .addDeserializer(String.class, new TextDeserializer()))
            .build();
  }

  /**
   * Replaces JSON's converter, and removes that of YAML, which libraries bring along: bodies in it
   * would evade the rules of this class.
   */
  @Override
  public void configureMessageConverters(HttpMessageConverters.ServerBuilder converters) {
    converters.configureMessageConvertersList(
        list -> {
          list.removeIf(JsonBodyConfiguration::isYaml);
          list.replaceAll(
              converter ->
                  converter instanceof JacksonJsonHttpMessageConverter
                      ? new JacksonJsonHttpMessageConverter(json)
                      : converter);
        });
  }

  private static boolean isYaml(HttpMessageConverter<?> converter) {
    return converter.getSupportedMediaTypes().stream()
        .anyMatch(type -> type.getSubtype().contains("yaml"));
  }
}
