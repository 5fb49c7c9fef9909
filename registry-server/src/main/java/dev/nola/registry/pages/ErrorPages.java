package dev.nola.registry.pages;

import dev.nola.registry.access.Caller;
import dev.nola.registry.access.CurrentCaller;
import dev.nola.registry.web.PageRequests;
import dev.nola.registry.web.ServerAddress;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.http.server.ServerHttpRequest;
import org.springframework.http.server.ServerHttpResponse;
import org.springframework.http.server.ServletServerHttpRequest;
import org.springframework.http.server.ServletServerHttpResponse;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.servlet.View;
import org.springframework.web.servlet.mvc.method.annotation.ResponseBodyAdvice;
import org.thymeleaf.spring6.view.ThymeleafViewResolver;

/** Shows a problem as a page if a browser asked for a page. */
@ControllerAdvice
class ErrorPages implements ResponseBodyAdvice<Object> {
  /** Not the resolver by content: that needs a request that has reached Spring MVC. */
  private final ThymeleafViewResolver views;

  ErrorPages(ThymeleafViewResolver views) {
    this.views = views;
  }

  @Override
  public boolean supports(
      MethodParameter returned, Class<? extends HttpMessageConverter<?>> converter) {
    return true; // the type of a problem is known when it is written
  }

  @Override
  public @Nullable Object beforeBodyWrite(
      @Nullable Object body,
      MethodParameter returned,
      MediaType type,
      Class<? extends HttpMessageConverter<?>> converter,
      ServerHttpRequest request,
      ServerHttpResponse response) {
    if (!(body instanceof ProblemDetail problem)
        || !(request instanceof ServletServerHttpRequest servletRequest)
        || !(response instanceof ServletServerHttpResponse servletResponse)
        || !isForPeople(servletRequest.getServletRequest())) {
      return body;
    }
    response.getHeaders().remove("Content-Type");
    render(problem, servletRequest.getServletRequest(), servletResponse.getServletResponse());
    return null;
  }

  private static boolean isForPeople(HttpServletRequest request) {
    // Of a request that failed, the container names the path it had.
    Object failed = request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI);
    boolean page =
        failed == null ? PageRequests.isPage(request) : PageRequests.isPage(failed.toString());
    return page && PageRequests.wantsHtml(request);
  }

  private void render(
      ProblemDetail problem, HttpServletRequest request, HttpServletResponse response) {
    Map<String, ?> properties =
        problem.getProperties() == null ? Map.of() : problem.getProperties();
    try {
      View view = views.resolveViewName("error", request.getLocale());
      if (view == null) {
        throw new IllegalStateException("template missing: error");
      }
      response.setStatus(problem.getStatus());
      Caller caller = CurrentCaller.get();
      view.render(
          Map.of(
              "viewer", Viewer.of(caller),
              "address", ServerAddress.of(request.getServletPath(), request),
              "status", problem.getStatus(),
              "title", title(problem.getStatus()),
              "detail", String.valueOf(problem.getDetail()),
              "requestId", String.valueOf(properties.get("requestId"))),
          request,
          response);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("page of a problem cannot be shown", e);
    }
  }

  private static String title(int status) {
    HttpStatus known = HttpStatus.resolve(status);
    return switch (known) {
      case NOT_FOUND -> "Not found";
      case FORBIDDEN -> "Not allowed";
      case UNAUTHORIZED -> "Sign in";
      case TOO_MANY_REQUESTS -> "Too many requests";
      case null -> "Refused";
      default -> known.is5xxServerError() ? "The registry failed" : "Refused";
    };
  }
}
