package dev.nola.registry.access;

import dev.nola.api.Scope;
import dev.nola.registry.web.PageRequests;
import dev.nola.registry.web.Refusal;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpMethod;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.annotation.web.configurers.HeadersConfigurer.FrameOptionsConfig;
import org.springframework.security.config.annotation.web.configurers.SessionManagementConfigurer.SessionFixationConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.session.NullAuthenticatedSessionStrategy;
import org.springframework.security.web.csrf.CookieCsrfTokenRepository;
import org.springframework.security.web.csrf.CsrfException;
import org.springframework.security.web.csrf.CsrfFilter;
import org.springframework.security.web.header.writers.ReferrerPolicyHeaderWriter.ReferrerPolicy;
import org.springframework.web.servlet.HandlerExceptionResolver;

/**
 * Protects the pages: sessions instead of bearer tokens, requests that change something only from
 * the pages themselves, and content of this server alone.
 */
@Configuration(proxyBeanMethods = false)
class PageSecurityConfiguration {
  /** Scripts and styles are files of ours; nothing is inline, so nothing that slips in is run. */
  private static final String CONTENT =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

  @Bean
  @Order(0)
  SecurityFilterChain pageSecurity(
      HttpSecurity http,
      SignIn signIn,
      Limits limits,
      AccessSettings settings,
      Optional<SignInMethod> method,
      @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
    CookieCsrfTokenRepository tokens = new CookieCsrfTokenRepository();
    tokens.setCookieCustomizer(cookie -> cookie.sameSite("Strict"));
    http.securityMatcher(PageRequests::isPage)
        // A session is recognised at each request, which Spring takes for a sign-in each time: a
        // new
        // id and form token would end what another tab holds. SignIn itself opens new sessions.
        .csrf(
            csrf ->
                csrf.csrfTokenRepository(tokens)
                    .sessionAuthenticationStrategy(new NullAuthenticatedSessionStrategy()))
        .anonymous(AbstractHttpConfigurer::disable) // SessionFilter says so itself
        .logout(AbstractHttpConfigurer::disable)
        .requestCache(AbstractHttpConfigurer::disable)
        // A session stores the id of a token; SessionFilter looks up its holder at each request.
        .sessionManagement(
            s ->
                s.sessionCreationPolicy(SessionCreationPolicy.STATELESS)
                    .sessionFixation(SessionFixationConfigurer::none))
        .headers(
            headers ->
                headers
                    .contentSecurityPolicy(csp -> csp.policyDirectives(CONTENT))
                    .referrerPolicy(referrer -> referrer.policy(ReferrerPolicy.SAME_ORIGIN))
                    .frameOptions(FrameOptionsConfig::deny))
        // Before a method to sign in, whose requests are counted, too.
        .addFilterAfter(new SessionFilter(signIn, limits, problems), CsrfFilter.class)
        .exceptionHandling(
            exceptions ->
                exceptions
                    .authenticationEntryPoint(
                        (request, response, _) -> askToSignIn(request, response))
                    .accessDeniedHandler(
                        (request, response, denial) -> {
                          Refusal refusal = refusal(request, denial);
                          if (refusal == null) {
                            askToSignIn(request, response);
                          } else {
                            problems.resolveException(request, response, null, refusal);
                          }
                        }))
        .authorizeHttpRequests(
            requests ->
                requests
                    .dispatcherTypeMatchers(
                        DispatcherType.ERROR, DispatcherType.ASYNC, DispatcherType.FORWARD)
                    .permitAll()
                    .requestMatchers("/assets/**", "/favicon.ico", "/sign-in", "/sign-out")
                    .permitAll()
                    .requestMatchers("/admin/**")
                    .access(ScopeRules.globalAdmin())
                    .requestMatchers(HttpMethod.POST, "/jobs/**")
                    .access(ScopeRules.scope(Scope.PUBLISH))
                    .requestMatchers("/jobs/**", "/workers/**")
                    .access(ScopeRules.scope(Scope.READ))
                    .requestMatchers(HttpMethod.GET, "/**")
                    .access(ScopeRules.read(settings))
                    .requestMatchers(HttpMethod.HEAD, "/**")
                    .access(ScopeRules.read(settings))
                    .anyRequest()
                    .access(ScopeRules.scope(Scope.READ)));
    method.ifPresent(present -> present.configure(http));
    return http.build();
  }

  /** Returns why a caller is refused, or null if it should sign in. */
  private static @Nullable Refusal refusal(
      HttpServletRequest request, AccessDeniedException denial) {
    if (denial instanceof CsrfException) {
      if (!PageRequests.wantsHtml(request)) { // a program, which looks for the API elsewhere
        return Refusal.notFound("path " + request.getRequestURI());
      }
      return Refusal.forbidden(
          "the form is too old, or comes from another site; open the page again and repeat it");
    }
    Caller caller = CurrentCaller.get();
    Scope required = ScopeRules.required(denial);
    return caller.tokenId() == null || required == null
        ? null
        : ScopeRules.refusal(caller, required);
  }

  private static void askToSignIn(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    String query = request.getQueryString();
    String wanted = request.getRequestURI() + (query == null ? "" : "?" + query);
    String page =
        request.getContextPath()
            + "/sign-in?next="
            + URLEncoder.encode(wanted, StandardCharsets.UTF_8);
    if (PageRequests.isPartial(request)) {
      response.setHeader("HX-Redirect", page); // else htmx would show the form within the page
      response.setStatus(HttpServletResponse.SC_UNAUTHORIZED);
    } else {
      response.sendRedirect(page);
    }
  }
}
