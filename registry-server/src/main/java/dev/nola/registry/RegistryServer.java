package dev.nola.registry;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.security.autoconfigure.UserDetailsServiceAutoConfiguration;
import org.springframework.scheduling.annotation.EnableScheduling;

/** The registry's Spring Boot application. */
@SpringBootApplication(
    exclude = UserDetailsServiceAutoConfiguration.class, // callers have tokens, not passwords
    proxyBeanMethods = false)
@EnableScheduling
public class RegistryServer {}
