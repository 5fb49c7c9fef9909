package dev.nola.registry.catalog;

/** Name of an adapter, with its namespace. */
public record AdapterName(String namespace, String name) {
  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
