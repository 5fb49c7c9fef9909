package dev.nola.registry.catalog;

/**
 * Name of an adapter, with its namespace.
 *
 * @param namespace of the adapter
 * @param name within the namespace
 */
public record AdapterName(String namespace, String name) {
  /**
   * Returns the name as references write it.
   *
   * @return {@code namespace/name}
   */
  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
