package dev.nola.registry.access;

import org.springframework.security.authentication.UsernamePasswordAuthenticationToken;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.authority.AuthorityUtils;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.core.context.SecurityContextImpl;

/** Knows the caller of the request that this thread processes. */
public final class CurrentCaller {
  private CurrentCaller() {}

  /**
   * Returns the caller.
   *
   * @return the caller; {@link Caller#ANONYMOUS} outside of a request
   */
  public static Caller get() {
    Authentication authentication = SecurityContextHolder.getContext().getAuthentication();
    return authentication != null && authentication.getPrincipal() instanceof Caller caller
        ? caller
        : Caller.ANONYMOUS;
  }

  /** Sets the caller, until the request ends. */
  static void set(Caller caller) {
    SecurityContextHolder.setContext(
        new SecurityContextImpl(
            UsernamePasswordAuthenticationToken.authenticated(
                caller,
                null,
                AuthorityUtils.createAuthorityList(
                    caller.scopes().stream().map(Enum::name).toList()))));
  }
}
