package dev.nola.registry.access;

import dev.nola.api.Scope;
import dev.nola.registry.web.Refusal;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.utils.SpringDocUtils;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpMethod;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.annotation.web.configurers.AuthorizeHttpRequestsConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.config.observation.SecurityObservationSettings;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.access.intercept.AuthorizationFilter;
import org.springframework.web.bind.support.WebDataBinderFactory;
import org.springframework.web.context.request.NativeWebRequest;
import org.springframework.web.method.support.HandlerMethodArgumentResolver;
import org.springframework.web.method.support.ModelAndViewContainer;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * Maps endpoints of the API to the scope that they require. Endpoints check rights within a
 * namespace themselves, through {@link Access}. Paths not listed here are denied, as if they did
 * not exist.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(AccessSettings.class)
class SecurityConfiguration implements WebMvcConfigurer {
  static {
    // Comes from the token, not from the request's parameters or body.
    SpringDocUtils.getConfig().addRequestWrapperToIgnore(Caller.class);
  }

  /** Without observations of each filter and decision: they cost more than the request itself. */
  @Bean
  SecurityObservationSettings securityObservations() {
    return SecurityObservationSettings.noObservations();
  }

  @Bean
  SecurityFilterChain apiSecurity(
      HttpSecurity http,
      ExternalTokens tokens,
      Limits limits,
      AccessSettings settings,
      @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
    http.csrf(AbstractHttpConfigurer::disable) // no cookies, so nothing to forge
        .anonymous(AbstractHttpConfigurer::disable) // TokenFilter says so itself
        .logout(AbstractHttpConfigurer::disable)
        .requestCache(AbstractHttpConfigurer::disable)
        .sessionManagement(s -> s.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
        .headers(headers -> headers.cacheControl(cache -> cache.disable()))
        .addFilterBefore(new TokenFilter(tokens, limits, problems), AuthorizationFilter.class)
        .exceptionHandling(
            exceptions ->
                exceptions
                    .authenticationEntryPoint(
                        (request, response, _) ->
                            problems.resolveException(request, response, null, unauthenticated()))
                    .accessDeniedHandler(
                        (request, response, denial) ->
                            problems.resolveException(
                                request,
                                response,
                                null,
                                refusal(request, ScopeRules.required(denial)))))
        .authorizeHttpRequests(requests -> authorize(requests, settings));
    return http.build();
  }

  private static void authorize(
      AuthorizeHttpRequestsConfigurer<HttpSecurity>.AuthorizationManagerRequestMatcherRegistry
          requests,
      AccessSettings settings) {
    requests
        // The request itself was authorized before; now it failed, or its stream ended.
        .dispatcherTypeMatchers(DispatcherType.ERROR, DispatcherType.ASYNC)
        .permitAll()
        .requestMatchers(
            "/actuator/health/**",
            "/v3/api-docs",
            "/v3/api-docs.yaml",
            "/v3/api-docs/swagger-config",
            "/swagger-ui.html",
            "/swagger-ui/**")
        .permitAll()
        .requestMatchers("/api/v1/audit/**", "/api/v1/admin/**", "/api/v1/verifications/**")
        .access(ScopeRules.globalAdmin())
        .requestMatchers(
            HttpMethod.DELETE, "/api/v1/adapters/{namespace}/{name}/versions/{version}")
        .access(ScopeRules.scope(Scope.ADMIN))
        // Their reading, too: the URLs of some receivers are passwords.
        .requestMatchers("/api/v1/namespaces/{namespace}/webhooks/**")
        .access(ScopeRules.scope(Scope.PUBLISH))
        .requestMatchers(HttpMethod.PUT, "/api/v1/worker-keys/**")
        .access(ScopeRules.globalAdmin())
        .requestMatchers(HttpMethod.POST, "/api/v1/worker-keys", "/api/v1/attestations")
        .access(ScopeRules.scope(Scope.WORKER))
        .requestMatchers(HttpMethod.POST, "/api/v1/tokens")
        .access(ScopeRules.scope(Scope.MINT))
        .requestMatchers("/api/v1/tokens/**", "/actuator/prometheus")
        .access(ScopeRules.scope(Scope.READ))
        .requestMatchers(
            "/api/v1/jobs/lease",
            "/api/v1/jobs/{id}/heartbeat",
            "/api/v1/jobs/{id}/checkpoint",
            "/api/v1/jobs/{id}/failure")
        .access(ScopeRules.scope(Scope.WORKER))
        .requestMatchers(HttpMethod.DELETE, "/api/v1/workers")
        .access(ScopeRules.scope(Scope.WORKER))
        .requestMatchers(HttpMethod.PUT, "/api/v1/jobs/{id}/result")
        .access(ScopeRules.scope(Scope.WORKER));
    for (HttpMethod method : List.of(HttpMethod.GET, HttpMethod.HEAD)) {
      requests
          .requestMatchers(
              method,
              "/api/v1/namespaces",
              "/api/v1/namespaces/{namespace}/members",
              "/api/v1/workers",
              "/api/v1/jobs/**",
              "/api/v1/models/**",
              "/api/v1/datasets/**")
          .access(ScopeRules.scope(Scope.READ))
          .requestMatchers(method, "/hf/api/whoami-v2")
          .access(ScopeRules.scope(Scope.READ))
          .requestMatchers(method, "/api/v1/**", "/hf/**")
          .access(ScopeRules.read(settings));
    }
    requests
        // A read, whose names of files are too many for a query.
        .requestMatchers(HttpMethod.POST, "/hf/api/models/{namespace}/{name}/paths-info/{revision}")
        .access(ScopeRules.read(settings));
    requests
        .requestMatchers(
            HttpMethod.POST,
            "/hf/api/repos/create",
            "/hf/api/validate-yaml",
            "/hf/api/models/{namespace}/{name}/preupload/{revision}",
            "/hf/api/models/{namespace}/{name}/commit/{revision}",
            "/hf/api/models/{namespace}/{name}/tag/{revision}")
        .access(ScopeRules.scope(Scope.PUBLISH));
    requests
        .requestMatchers("/api/v1/**")
        .access(ScopeRules.scope(Scope.PUBLISH))
        .anyRequest()
        .denyAll();
  }

  @Override
  public void addArgumentResolvers(List<HandlerMethodArgumentResolver> resolvers) {
    resolvers.add(new CallerResolver());
  }

  private static Refusal refusal(HttpServletRequest request, @Nullable Scope required) {
    if (required == null) { // denied to all, so it need not exist
      return Refusal.notFound("path " + request.getRequestURI());
    }
    Caller caller = CurrentCaller.get();
    return caller.tokenId() == null ? unauthenticated() : ScopeRules.refusal(caller, required);
  }

  private static Refusal unauthenticated() {
    return Refusal.unauthenticated("token required; send the header Authorization: Bearer TOKEN");
  }

  /** Passes endpoints their caller. */
  private static final class CallerResolver implements HandlerMethodArgumentResolver {
    @Override
    public boolean supportsParameter(MethodParameter parameter) {
      return parameter.getParameterType() == Caller.class;
    }

    @Override
    public Object resolveArgument(
        MethodParameter parameter,
        @Nullable ModelAndViewContainer container,
        NativeWebRequest request,
        @Nullable WebDataBinderFactory factory) {
      return CurrentCaller.get();
    }
  }
}
