package dev.nola.registry.web;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.core.StandardHost;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.tomcat.ConfigurableTomcatWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Makes problem details of what Tomcat refuses before the application sees it. */
@Component
class ContainerProblems implements WebServerFactoryCustomizer<ConfigurableTomcatWebServerFactory> {
  @Override
  public void customize(ConfigurableTomcatWebServerFactory factory) {
    factory.addContextCustomizers(
        context -> {
          if (context.getParent() instanceof StandardHost host) {
            host.setErrorReportValveClass(Valve.class.getName());
          }
        });
  }

  /** Public, with a public constructor, since Tomcat creates it by its name. */
  public static final class Valve extends ErrorReportValve {
    /** Creates a valve without settings. */
    public Valve() {
      setShowReport(false);
      setShowServerInfo(false);
    }

    @Override
    protected void report(Request request, Response response, @Nullable Throwable failure) {
      int code = response.getStatus();
      if (code < HttpStatus.BAD_REQUEST.value()
          || response.getContentWritten() > 0
          || !response.setErrorReported()) {
        return;
      }
      HttpStatus known = HttpStatus.resolve(code);
      HttpStatus status = known == null ? HttpStatus.BAD_REQUEST : known;
      String id = response.getHeader(RequestIds.HEADER);
      if (id == null) {
        id = UUID.randomUUID().toString();
        response.setHeader(RequestIds.HEADER, id);
      }
      ObjectNode problem =
          JsonMapper.shared()
              .createObjectNode()
              .put("type", Problems.TYPE + Problems.name(status))
              .put("title", status.getReasonPhrase())
              .put("status", status.value())
              .put("detail", RequestErrorMessages.of(status))
              .put("requestId", id);
      byte[] body = problem.toString().getBytes(StandardCharsets.UTF_8);
      try {
        response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
        response.setHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.length));
        response.getOutputStream().write(body);
        response.finishResponse();
      } catch (IOException _) {
        // The client has disconnected: nobody reads this.
      }
    }
  }
}
