package dev.nola.registry.web;

import dev.nola.api.json.NolaModule;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Teaches the server's JSON mapper the api's values. */
@Configuration(proxyBeanMethods = false)
class JsonConfiguration {
  @Bean
  NolaModule nolaModule() {
    return new NolaModule();
  }
}
