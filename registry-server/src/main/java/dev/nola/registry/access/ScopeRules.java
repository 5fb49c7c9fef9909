package dev.nola.registry.access;

import dev.nola.api.Scope;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationDeniedException;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.core.Authentication;
import org.springframework.security.web.access.intercept.RequestAuthorizationContext;

/** Decides by a caller's scopes whether it may make a request. */
final class ScopeRules {
  private ScopeRules() {}

  /** Allows reading to those with the scope, or to all if the settings say so. */
  static AuthorizationManager<RequestAuthorizationContext> read(AccessSettings settings) {
    return settings.anonymousRead() ? (_, _) -> new AuthorizationDecision(true) : scope(Scope.READ);
  }

  static AuthorizationManager<RequestAuthorizationContext> scope(Scope scope) {
    return requires(caller -> caller.may(scope), scope);
  }

  static AuthorizationManager<RequestAuthorizationContext> globalAdmin() {
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
  static @Nullable Scope required(AccessDeniedException denial) {
    return denial instanceof AuthorizationDeniedException denied
            && denied.getAuthorizationResult() instanceof ScopeDecision decision
        ? decision.scope
        : null;
  }
}
