package dev.nola.registry.catalog;

/** What an adapter is called. */
public record AdapterName(String namespace, String name) {
  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
