package dev.nola.registry.access;

import java.util.Set;

/**
 * Names that no new account or namespace can have: those of the server itself, which its log and
 * audit log use, and those that stand, or may come to stand, at the beginning of a path.
 */
public final class ReservedNames {
  private static final Set<String> NAMES =
      Set.of(
          "accounts",
          "actuator",
          "adapters",
          "admin",
          "administrator",
          "anonymous",
          "api",
          "assets",
          "attestations",
          "audit",
          "base",
          "datasets",
          "docs",
          "error",
          "feed",
          "healthz",
          "hf",
          "jobs",
          "login",
          "logout",
          "metrics",
          "models",
          "namespaces",
          "nola",
          "ns",
          "null",
          "oauth2",
          "registry",
          "root",
          "search",
          "server",
          "settings",
          "sign-in",
          "sign-out",
          "static",
          "swagger-ui",
          "system",
          "tokens",
          "undefined",
          "v1",
          "v2",
          "v3",
          "verifications",
          "worker-keys",
          "workers");

  private ReservedNames() {}

  /**
   * Returns whether a name is reserved.
   *
   * @param name of an account or namespace
   * @return whether no new one can have it
   */
  public static boolean contains(String name) {
    return NAMES.contains(name);
  }

  /**
   * Returns the message that a name is reserved.
   *
   * @param field that has the name
   * @param name the name
   * @return field, name and rule in a sentence
   */
  public static String message(String field, String name) {
    return "reserved %s: %s; choose another name".formatted(field, name);
  }
}
