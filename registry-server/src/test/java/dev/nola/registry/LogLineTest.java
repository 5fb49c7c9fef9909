package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.OutputStreamAppender;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.io.ClassPathResource;

/** No name, key or path that a stranger chose makes a line of the log or acts on a terminal. */
class LogLineTest {
  private static LoggingEvent event(LoggerContext context) {
    LoggingEvent event = new LoggingEvent();
    event.setLoggerContext(context);
    event.setLoggerName("dev.nola.Test");
    event.setLevel(Level.WARN);
    event.setMDCPropertyMap(Map.of());
    event.setMessage("worker {} came");
    event.setArgumentArray(new Object[] {HostileNames.NAME});
    return event;
  }

  private static String format(LoggerContext context, LoggingEvent event) throws Exception {
    Object pattern =
        new YamlPropertySourceLoader()
            .load("application", new ClassPathResource("application.yaml"))
            .getFirst()
            .getProperty("logging.pattern.console");
    PatternLayout layout = new PatternLayout();
    layout.setContext(context);
    layout.setPattern(Objects.requireNonNull(pattern).toString());
    layout.start();
    return layout.doLayout(event);
  }

  @Test
  void messageIsOneLineWithoutControlCharacters() throws Exception {
    LoggerContext context = new LoggerContext();

    String line = format(context, event(context));

    assertThat(line).endsWith(" : worker " + HostileNames.HARMLESS + " came\n");
    assertThat(List.of(line.split("\n"))).hasSize(1);
  }

  @Test
  void lineOfAnExceptionIsNotMistakenForAMessage() throws Exception {
    LoggerContext context = new LoggerContext();
    LoggingEvent event = event(context);
    event.setThrowableProxy(
        new ThrowableProxy(
            new IllegalStateException(HostileNames.NAME, new Exception(HostileNames.NAME))));

    List<String> lines = format(context, event).lines().toList();

    assertThat(lines.getFirst()).endsWith(" : worker " + HostileNames.HARMLESS + " came");
    assertThat(lines.get(1)).isEqualTo("\tjava.lang.IllegalStateException: a");
    assertThat(lines.get(2)).isEqualTo("\t12:00:00.000 ERROR forged [2J b c");
    assertThat(lines.subList(1, lines.size())).allMatch(line -> line.startsWith("\t"));
    assertThat(lines).noneMatch(HostileNames::actsOnATerminal);
  }

  @Test
  void namesInRequestsMakeNoLinesOfTheTextLog() throws Exception {
    TestClient admin = TestRegistry.shared().admin();
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    ConsoleAppender<ILoggingEvent> console =
        (ConsoleAppender<ILoggingEvent>) Objects.requireNonNull(root.getAppender("CONSOLE"));
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    OutputStreamAppender<ILoggingEvent> copy = new OutputStreamAppender<>();
    copy.setContext(context);
    copy.setEncoder(console.getEncoder());
    copy.setOutputStream(log);
    copy.start();
    root.addAppender(copy);
    try {
      HostileNames.send(admin);
    } finally {
      root.detachAppender(copy);
    }

    List<String> lines = log.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines)
        .anyMatch(line -> line.contains("unknown-key: key " + HostileNames.HARMLESS))
        .anyMatch(line -> line.contains("of tensor " + HostileNames.HARMLESS))
        .noneMatch(HostileNames::actsOnATerminal)
        .allMatch(
            line -> line.matches("\\d\\d:\\d\\d:\\d\\d\\.\\d{3} [A-Z]+ +\\w+( \\[.+])? : .*|\t.*"))
        .noneMatch(line -> line.startsWith("12:00:00.000"));
  }
}
