package dev.nola.registry.hub;

import dev.nola.api.Violation;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.core.MethodParameter;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.http.server.ServerHttpRequest;
import org.springframework.http.server.ServerHttpResponse;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.servlet.mvc.method.annotation.ResponseBodyAdvice;

/** Adds the reasons of a refusal in the form that the Hub's clients print. */
@ControllerAdvice
class HubProblemBody implements ResponseBodyAdvice<Object> {
  private static final String PREFIX = "/hf/";

  @Override
  public boolean supports(
      MethodParameter returnType, Class<? extends HttpMessageConverter<?>> converterType) {
    return true;
  }

  @Override
  public @Nullable Object beforeBodyWrite(
      @Nullable Object body,
      MethodParameter returnType,
      MediaType type,
      Class<? extends HttpMessageConverter<?>> converterType,
      ServerHttpRequest request,
      ServerHttpResponse response) {
    if (body instanceof ProblemDetail problem
        && problem.getDetail() != null
        && request.getURI().getPath().startsWith(PREFIX)) {
      List<String> reasons = reasons(problem);
      problem.setProperty("error", reasons.size() == 1 ? reasons.getFirst() : reasons);
      response.getHeaders().set(HubErrors.MESSAGE, HubErrors.ascii(String.join("; ", reasons)));
    }
    return body;
  }

  /** Returns each rule that was broken, or else the only reason. */
  private static List<String> reasons(ProblemDetail problem) {
    Map<String, Object> properties = problem.getProperties();
    Object violations = properties == null ? null : properties.get("violations");
    return violations instanceof List<?> list
        ? list.stream().map(Violation.class::cast).map(Violation::rule).toList()
        : List.of(String.valueOf(problem.getDetail()));
  }
}
