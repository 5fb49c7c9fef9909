package dev.nola.registry.web;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.springdoc.core.annotations.ParameterObject;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * Refuses query parameters that an endpoint of the API does not have: a misspelt filter would
 * select everything.
 */
@Configuration(proxyBeanMethods = false)
class UnknownParameterCheck implements WebMvcConfigurer, HandlerInterceptor {
  private static final String OURS = "dev.nola.";

  @Override
  public void addInterceptors(InterceptorRegistry registry) {
    registry.addInterceptor(this);
  }

  @Override
  public boolean preHandle(
      HttpServletRequest request, HttpServletResponse response, Object handler) {
    if (handler instanceof HandlerMethod endpoint
        && endpoint.getBeanType().getName().startsWith(OURS)
        && !endpoint.getBeanType().isAnnotationPresent(IgnoresUnknownParameters.class)
        && request.getDispatcherType() == DispatcherType.REQUEST
        && QueryCheck.hasQuery(request)) {
      Set<String> known = parameters(endpoint);
      request.getParameterMap().keySet().stream()
          .filter(name -> !known.contains(name))
          .findFirst()
          .ifPresent(name -> refuse(name, known));
    }
    return true;
  }

  private static Set<String> parameters(HandlerMethod endpoint) {
    Set<String> names = new TreeSet<>();
    for (MethodParameter parameter : endpoint.getMethodParameters()) {
      if (parameter.hasParameterAnnotation(RequestParam.class)) {
        names.add(parameter.getParameter().getName());
      } else if (parameter.hasParameterAnnotation(ParameterObject.class)) {
        Arrays.stream(parameter.getParameterType().getRecordComponents())
            .map(RecordComponent::getName)
            .forEach(names::add);
      }
    }
    return names;
  }

  private static void refuse(String name, Set<String> known) {
    throw Refusal.of(
        HttpStatus.BAD_REQUEST,
        "unreadable",
        "unknown parameter %s; must be %s"
            .formatted(RequestErrorMessages.show(name), RequestErrorMessages.oneOf(known)));
  }
}
