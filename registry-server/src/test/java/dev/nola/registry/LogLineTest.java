package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.io.ClassPathResource;

class LogLineTest {
  @Test
  void messageIsOneLineWithoutControlCharacters() throws Exception {
    Object pattern =
        new YamlPropertySourceLoader()
            .load("application", new ClassPathResource("application.yaml"))
            .getFirst()
            .getProperty("logging.pattern.console");
    LoggerContext context = new LoggerContext();
    PatternLayout layout = new PatternLayout();
    layout.setContext(context);
    layout.setPattern(Objects.requireNonNull(pattern).toString());
    layout.start();
    LoggingEvent event = new LoggingEvent();
    event.setLoggerContext(context);
    event.setLoggerName("dev.nola.Test");
    event.setLevel(Level.WARN);
    event.setMDCPropertyMap(Map.of());
    event.setMessage("worker {} came");
    event.setArgumentArray(new Object[] {"a\n12:00:00.000 ERROR forged\u001b[2J\u202eb\u2028c"});

    String line = layout.doLayout(event);

    assertThat(line).endsWith(" : worker a 12:00:00.000 ERROR forged [2J b c came\n");
    assertThat(List.of(line.split("\n"))).hasSize(1);
  }

  @Test
  void workerNameWithControlCharactersIsRefused() throws Exception {
    TestClient worker = TestRegistry.shared().admin().account("log-worker", "worker");
    assertThat(
            worker
                .post(
                    "/api/v1/jobs/lease",
                    """
                    {"worker": "a\\nb", "key": "", "types": [], "backends": [], "cuda": false,
                     "memoryBytes": 0, "models": [], "max": 1, "waitSeconds": 0}""")
                .text("/detail"))
        .isEqualTo("worker contains control characters; must be printable: a b");
  }
}
