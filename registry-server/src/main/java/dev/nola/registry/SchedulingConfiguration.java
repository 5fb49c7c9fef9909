package dev.nola.registry;

import com.github.kagkarlsson.scheduler.boot.autoconfigure.Jackson3Serializer;
import com.github.kagkarlsson.scheduler.boot.config.DbSchedulerCustomizer;
import com.github.kagkarlsson.scheduler.serializer.Serializer;
import java.time.Clock;
import java.util.Optional;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Recurring work that one replica does for all: db-scheduler keeps it in the database. */
@Configuration(proxyBeanMethods = false)
class SchedulingConfiguration {
  /** Avoids Java's serialization: anyone able to write to the table could run code. */
  @Bean
  DbSchedulerCustomizer schedulerCustomizer() {
    return new DbSchedulerCustomizer() {
      @Override
      public Optional<Serializer> serializer() {
        return Optional.of(new Jackson3Serializer());
      }
    };
  }

  /** The server's time. */
  @Bean
  com.github.kagkarlsson.scheduler.Clock schedulerClock(Clock clock) {
    return clock::instant;
  }
}
