package dev.nola.registry.web;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import dev.nola.api.json.NolaModule;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.springframework.boot.jackson.autoconfigure.JsonMapperBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import tools.jackson.databind.JacksonModule;
import tools.jackson.databind.module.SimpleModule;

/** Adds the api's values to the server's JSON mapper, and rules that Jackson does not have. */
@Configuration(proxyBeanMethods = false)
class JsonConfiguration {
  @Bean
  NolaModule nolaModule() {
    return new NolaModule();
  }

  @Bean
  JacksonModule times() {
    return new SimpleModule("nola-times").addDeserializer(Instant.class, new TimeDeserializer());
  }

  /** No list of the API has a place for null. */
  @Bean
  JsonMapperBuilderCustomizer listsWithoutNulls() {
    JsonSetter.Value refused = JsonSetter.Value.forContentNulls(Nulls.FAIL);
    return builder ->
        builder
            .withConfigOverride(List.class, list -> list.setNullHandling(refused))
            .withConfigOverride(Set.class, set -> set.setNullHandling(refused));
  }
}
