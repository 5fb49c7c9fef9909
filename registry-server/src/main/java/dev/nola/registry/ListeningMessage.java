package dev.nola.registry;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/** Logs where the registry listens, which port 0 leaves open. */
@Component
class ListeningMessage {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryServer.class);

  @EventListener
  void say(ApplicationReadyEvent ready) {
    Environment environment = ready.getApplicationContext().getEnvironment();
    LOG.info(
        "The registry listens on http://{}:{}",
        environment.getProperty("server.address", "0.0.0.0"),
        environment.getProperty("local.server.port"));
  }
}
