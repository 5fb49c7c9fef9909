package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** A request that is refused with an explanation to its caller says nothing in the log. */
class RefusedRequestLogTest {
  private static final String ID = "refused-request";

  private final TestClient admin = TestRegistry.shared().admin();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PATCH | /api/v1/audit | {} | 405",
        "GET | /api/v1/jobs/lease | | 400",
        "GET | /api/v1/nothing | | 404",
        "GET | /api/v1/adapters?colour=red | | 400",
        "GET | /api/v1/adapters?q=%ff | | 400",
        "GET | /api/v1/adapters?q=%00 | | 400",
        "POST | /api/v1/tokens | {\"scopes\": [\"read\"], \"description\": \"a\\u0000\"} | 422",
        "POST | /api/v1/tokens | {\"scopes\": [\"read\"], \"description\": \"\\ud83d\"} | 422",
        "POST | /api/v1/tokens | { | 400",
        "PUT | /api/v1/namespaces/admin | {} | 422",
        "GET | /api/v1/adapters/absent/absent/versions/1.0.0 | | 404"
      })
  void refusedRequestIsNotLogged(String method, String path, @Nullable String body, int status)
      throws Exception {
    List<ILoggingEvent> events = new CopyOnWriteArrayList<>();
    AppenderBase<ILoggingEvent> appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            if (ID.equals(event.getMDCPropertyMap().get("requestId"))) {
              events.add(event);
            }
          }
        };
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    appender.setContext(context);
    appender.start();
    root.addAppender(appender);
    try {
      assertThat(
              admin
                  .send(
                      method,
                      path,
                      body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body),
                      "Content-Type",
                      "application/json",
                      "X-Request-Id",
                      ID)
                  .status())
          .isEqualTo(status);
    } finally {
      root.detachAppender(appender);
    }

    assertThat(events).isEmpty();
  }

  /** What no parser refuses: the database's own word for a text with NUL. */
  @Test
  void databaseThatRefusesAValueIsNotLogged() {
    assertThat(LoggerFactory.getLogger("org.hibernate.orm.jdbc.error").isErrorEnabled()).isFalse();
  }
}
