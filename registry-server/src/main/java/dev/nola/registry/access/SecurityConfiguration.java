package dev.nola.registry.access;

import dev.nola.api.Scope;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.utils.SpringDocUtils;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpMethod;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationDeniedException;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.annotation.web.configurers.AuthorizeHttpRequestsConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.access.intercept.AuthorizationFilter;
import org.springframework.security.web.access.intercept.RequestAuthorizationContext;
import org.springframework.web.bind.support.WebDataBinderFactory;
import org.springframework.web.context.request.NativeWebRequest;
import org.springframework.web.method.support.HandlerMethodArgumentResolver;
import org.springframework.web.method.support.ModelAndViewContainer;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * Maps endpoints to the scope that they require. Endpoints check rights within a namespace
 * themselves, through {@link Access}. Paths not listed here are denied, as if they did not exist.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(AccessSettings.class)
class SecurityConfiguration implements WebMvcConfigurer {
  static {
    // Comes from the token, not from the request's parameters or body.
    SpringDocUtils.getConfig().addRequestWrapperToIgnore(Caller.class);
  }

  @Bean
  SecurityFilterChain security(
      HttpSecurity http,
      TokenIssuer tokens,
      Limits limits,
      ClientAddresses addresses,
      AccessSettings settings,
      @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
    http.csrf(AbstractHttpConfigurer::disable) // no cookies, so nothing to forge
        .anonymous(AbstractHttpConfigurer::disable) // TokenFilter says so itself
        .logout(AbstractHttpConfigurer::disable)
        .requestCache(AbstractHttpConfigurer::disable)
        .sessionManagement(s -> s.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
        .headers(headers -> headers.cacheControl(cache -> cache.disable()))
        .addFilterBefore(
            new TokenFilter(tokens, limits, addresses, problems), AuthorizationFilter.class)
        .exceptionHandling(
            exceptions ->
                exceptions
                    .authenticationEntryPoint(
                        (request, response, _) ->
                            problems.resolveException(request, response, null, unauthenticated()))
                    .accessDeniedHandler(
                        (request, response, denial) ->
                            problems.resolveException(
                                request, response, null, refusal(request, required(denial)))))
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
        .access(globalAdmin())
        .requestMatchers(
            HttpMethod.DELETE, "/api/v1/adapters/{namespace}/{name}/versions/{version}")
        .access(scope(Scope.ADMIN))
        // Their reading, too: the URLs of some receivers are passwords.
        .requestMatchers("/api/v1/namespaces/{namespace}/webhooks/**")
        .access(scope(Scope.PUBLISH))
        .requestMatchers(HttpMethod.PUT, "/api/v1/worker-keys/**")
        .access(globalAdmin())
        .requestMatchers(HttpMethod.POST, "/api/v1/worker-keys", "/api/v1/attestations")
        .access(scope(Scope.WORKER))
        .requestMatchers(HttpMethod.POST, "/api/v1/tokens")
        .access(scope(Scope.MINT))
        .requestMatchers("/api/v1/tokens/**", "/actuator/prometheus")
        .access(scope(Scope.READ))
        .requestMatchers(
            "/api/v1/jobs/lease",
            "/api/v1/jobs/{id}/heartbeat",
            "/api/v1/jobs/{id}/checkpoint",
            "/api/v1/jobs/{id}/failure")
        .access(scope(Scope.WORKER))
        .requestMatchers(HttpMethod.DELETE, "/api/v1/workers")
        .access(scope(Scope.WORKER))
        .requestMatchers(HttpMethod.PUT, "/api/v1/jobs/{id}/result")
        .access(scope(Scope.WORKER));
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
          .access(scope(Scope.READ))
          .requestMatchers(method, "/hf/api/whoami-v2")
          .access(scope(Scope.READ))
          .requestMatchers(method, "/api/v1/**", "/hf/**")
          .access(read(settings));
    }
    requests
        // A read, whose names of files are too many for a query.
        .requestMatchers(HttpMethod.POST, "/hf/api/models/{namespace}/{name}/paths-info/{revision}")
        .access(read(settings));
    requests
        .requestMatchers(
            HttpMethod.POST,
            "/hf/api/repos/create",
            "/hf/api/validate-yaml",
            "/hf/api/models/{namespace}/{name}/preupload/{revision}",
            "/hf/api/models/{namespace}/{name}/commit/{revision}",
            "/hf/api/models/{namespace}/{name}/tag/{revision}")
        .access(scope(Scope.PUBLISH));
    requests.requestMatchers("/api/v1/**").access(scope(Scope.PUBLISH)).anyRequest().denyAll();
  }

  @Override
  public void addArgumentResolvers(List<HandlerMethodArgumentResolver> resolvers) {
    resolvers.add(new CallerResolver());
  }

  private static AuthorizationManager<RequestAuthorizationContext> read(AccessSettings settings) {
    return settings.anonymousRead() ? (_, _) -> new AuthorizationDecision(true) : scope(Scope.READ);
  }

  private static AuthorizationManager<RequestAuthorizationContext> scope(Scope scope) {
    return requires(caller -> caller.may(scope), scope);
  }

  private static AuthorizationManager<RequestAuthorizationContext> globalAdmin() {
    return requires(Caller::isGlobalAdmin, Scope.ADMIN);
  }

  private static AuthorizationManager<RequestAuthorizationContext> requires(
      Predicate<Caller> rule, Scope scope) {
    return (authentication, _) ->
        new ScopeDecision(
            scope,
            authentication.get() instanceof Authentication found
                && found.getPrincipal() instanceof Caller caller
                && rule.test(caller));
  }

  /** A decision by a scope, which the refusal names. */
  private static final class ScopeDecision extends AuthorizationDecision {
    private final Scope scope;

    ScopeDecision(Scope scope, boolean granted) {
      super(granted);
      this.scope = scope;
    }
  }

  /** Returns the scope that a denied request requires, or null if no scope permits it. */
  private static @Nullable Scope required(AccessDeniedException denial) {
    return denial instanceof AuthorizationDeniedException denied
            && denied.getAuthorizationResult() instanceof ScopeDecision decision
        ? decision.scope
        : null;
  }

  private static Refusal refusal(HttpServletRequest request, @Nullable Scope required) {
    if (required == null) { // denied to all, so it need not exist
      return Refusal.notFound("path " + request.getRequestURI());
    }
    Caller caller = current();
    if (caller.tokenId() == null) {
      return unauthenticated();
    }
    return Refusal.forbidden(
        caller.isAdmin()
            ? "the token is limited to namespaces; this request needs an admin token without a limit"
            : "the token's scopes do not allow this request: %1$s; it needs the scope %2$s: ask an admin for a token made with nola token create --scope %2$s"
                .formatted(
                    caller.scopes().stream()
                        .sorted()
                        .map(Label::of)
                        .collect(Collectors.joining(", ")),
                    Label.of(required)));
  }

  private static Refusal unauthenticated() {
    return Refusal.unauthenticated("token required; send the header Authorization: Bearer TOKEN");
  }

  private static Caller current() {
    Authentication authentication = SecurityContextHolder.getContext().getAuthentication();
    return authentication != null && authentication.getPrincipal() instanceof Caller caller
        ? caller
        : Caller.ANONYMOUS;
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
      return current();
    }
  }
}
