package dev.nola.client.registry;

import java.util.regex.Pattern;

/**
 * What an adapter is called in a registry. Its text is {@code namespace/name}.
 *
 * @param namespace 1 to 39 of a-z, 0-9 and hyphen, with no hyphen at its ends
 * @param name 1 to 96 of a-z, 0-9, dot, hyphen and underscore, the first and last a letter or digit
 */
public record AdapterName(String namespace, String name) {
  private static final Pattern NAMESPACE = Pattern.compile("[a-z0-9](?:[a-z0-9-]{0,37}[a-z0-9])?");
  private static final Pattern NAME = Pattern.compile("[a-z0-9](?:[a-z0-9._-]{0,94}[a-z0-9])?");

  /**
   * Checks both parts.
   *
   * @throws IllegalArgumentException if one breaks its rule
   */
  public AdapterName {
    requireNamespace(namespace);
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "name=%s, must be 1 to 96 of a-z, 0-9, dot, hyphen and underscore, the first and last a letter or digit"
              .formatted(name));
    }
  }

  /**
   * Reads {@code namespace/name}.
   *
   * @throws IllegalArgumentException if the text is anything else
   */
  public static AdapterName parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException(
          "adapter \"%s\", must be NAMESPACE/NAME, such as acme/mood".formatted(text));
    }
    return new AdapterName(text.substring(0, slash), text.substring(slash + 1));
  }

  static void requireNamespace(String namespace) {
    if (!NAMESPACE.matcher(namespace).matches()) {
      throw new IllegalArgumentException(
          "namespace=%s, must be 1 to 39 of a-z, 0-9 and hyphen, with no hyphen at its ends"
              .formatted(namespace));
    }
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
