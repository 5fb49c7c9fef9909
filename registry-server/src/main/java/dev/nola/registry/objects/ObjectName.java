package dev.nola.registry.objects;

import dev.nola.api.name.ObjectKind;

/**
 * The name of a model or dataset.
 *
 * @param kind of the object
 * @param namespace of the object
 * @param name within the namespace
 */
public record ObjectName(ObjectKind kind, String namespace, String name) {
  /**
   * Returns the name without the kind.
   *
   * @return {@code namespace/name}
   */
  public String path() {
    return namespace + "/" + name;
  }

  @Override
  public String toString() {
    return kind.label() + " " + path();
  }
}
