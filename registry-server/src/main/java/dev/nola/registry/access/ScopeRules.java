package dev.nola.registry.access;

import dev.nola.api.Scope;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import java.util.function.Predicate;
import java.util.stream.Collectors;
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

  /** Makes the refusal of a caller whose token lacks a scope, or is limited to namespaces. */
  static Refusal refusal(Caller caller, Scope required) {
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
}
