package dev.nola.registry.oidc;

import dev.nola.api.Role;
import dev.nola.api.name.NameRule;

/**
 * The role that the members of a group have in a namespace.
 *
 * @param group as the issuer names it
 * @param namespace where they have the role
 * @param role that they have
 */
record GroupRole(String group, String namespace, Role role) {
  /**
   * Parses a setting.
   *
   * @param text such as {@code ml-team=acme:owner}; the group may itself contain =
   * @return the role
   * @throws IllegalArgumentException if it has another form, or the namespace breaks its rule
   */
  static GroupRole parse(String text) {
    int equals = text.lastIndexOf('=');
    int colon = text.lastIndexOf(':');
    if (equals < 1 || colon < equals) {
      throw invalid(text);
    }
    String namespace = text.substring(equals + 1, colon);
    Publisher.requireName(NameRule.NAMESPACE, namespace);
    Role role =
        switch (text.substring(colon + 1)) {
          case "owner" -> Role.OWNER;
          case "member" -> Role.MEMBER;
          default -> throw invalid(text);
        };
    return new GroupRole(text.substring(0, equals), namespace, role);
  }

  private static IllegalArgumentException invalid(String text) {
    return new IllegalArgumentException(
        "invalid nola.oidc.groups: "
            + text
            + "; must be group=namespace:owner or group=namespace:member");
  }
}
