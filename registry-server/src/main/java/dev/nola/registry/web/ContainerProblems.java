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
import org.springframework.web.util.HtmlUtils;
import tools.jackson.databind.json.JsonMapper;

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
      boolean page =
          PageRequests.isPage(String.valueOf(request.getRequestURI()))
              && PageRequests.wantsHtml(request);
      byte[] body =
          (page ? page(status, id) : problem(status, id)).getBytes(StandardCharsets.UTF_8);
      try {
        response.setContentType(
            page
                ? MediaType.TEXT_HTML_VALUE + ";charset=UTF-8"
                : MediaType.APPLICATION_PROBLEM_JSON_VALUE);
        response.setHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.length));
        response.getOutputStream().write(body);
        response.finishResponse();
      } catch (IOException _) {
        // The client has disconnected: nobody reads this.
      }
    }

    private static String problem(HttpStatus status, String id) {
      return JsonMapper.shared()
          .createObjectNode()
          .put("type", Problems.TYPE + Problems.name(status))
          .put("title", status.getReasonPhrase())
          .put("status", status.value())
          .put("detail", RequestErrorMessages.of(status))
          .put("requestId", id)
          .toString();
    }

    /** Not the template of errors: the application, which has it, does not see the request. */
    private static String page(HttpStatus status, String id) {
      return """
          <!DOCTYPE html>
          <html lang="en">
          <head><meta charset="utf-8"><title>%1$s · Nola</title></head>
          <body><h1>%1$s</h1><p>%2$s</p><p>Request %3$s</p><p><a href="/">Adapters</a></p></body>
          </html>
          """
          .formatted(
              status.getReasonPhrase(),
              HtmlUtils.htmlEscape(RequestErrorMessages.of(status)),
              HtmlUtils.htmlEscape(id));
    }
  }
}
