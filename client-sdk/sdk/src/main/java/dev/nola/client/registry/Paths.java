package dev.nola.client.registry;

import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.Reference;
import dev.nola.client.http.Query;

/** The paths of the registry's resources. */
final class Paths {
  static final String ADAPTERS = "/api/v1/adapters";

  private Paths() {}

  static String adapter(AdapterName adapter) {
    return ADAPTERS + "/" + adapter;
  }

  static String version(Reference reference) {
    return adapter(reference.adapter()) + "/versions/" + Query.encode(reference.version());
  }

  static String file(Reference reference) {
    return version(reference) + "/file";
  }

  static String alias(AdapterName adapter, String alias) {
    return adapter(adapter) + "/aliases/" + NameRule.ALIAS.require(alias);
  }
}
