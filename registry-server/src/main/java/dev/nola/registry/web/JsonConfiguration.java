package dev.nola.registry.web;

import dev.nola.api.json.NolaModule;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Adds the api's values to the server's JSON mapper. */
@Configuration(proxyBeanMethods = false)
class JsonConfiguration {
  @Bean
  NolaModule nolaModule() {
    return new NolaModule();
  }
}
