package dev.nola.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Who sees an adapter. */
public enum Visibility {
  /** Everyone who may read the registry. */
  @JsonProperty("public")
  PUBLIC,
  /** Members of its namespace; to all others it does not exist. */
  @JsonProperty("private")
  PRIVATE
}
