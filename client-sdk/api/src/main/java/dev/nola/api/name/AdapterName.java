package dev.nola.api.name;

/**
 * The name of an adapter in a registry. Its text is {@code namespace/name}.
 *
 * @param namespace as {@link NameRule#NAMESPACE} requires
 * @param name as {@link NameRule#NAME} requires
 */
public record AdapterName(String namespace, String name) {
  /**
   * Checks both parts.
   *
   * @throws IllegalArgumentException if one breaks its rule
   */
  public AdapterName {
    NameRule.NAMESPACE.require(namespace);
    NameRule.NAME.require(name);
  }

  /**
   * Parses a name.
   *
   * @param text {@code namespace/name}
   * @return the name
   * @throws IllegalArgumentException if the text is anything else
   */
  public static AdapterName parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException(
          "invalid adapter: %s; must be NAMESPACE/NAME, such as acme/mood".formatted(text));
    }
    return new AdapterName(text.substring(0, slash), text.substring(slash + 1));
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
