package dev.nola.api.name;

import java.util.Arrays;

/** A kind of object that jobs read; each kind has its own names. */
public enum ObjectKind {
  /** A base model's files. */
  MODEL("model", "models"),
  /** Files of examples. */
  DATASET("dataset", "datasets");

  private final String label;
  private final String collection;

  ObjectKind(String label, String collection) {
    this.label = label;
    this.collection = collection;
  }

  /**
   * Returns the word for one object of this kind.
   *
   * @return {@code model} or {@code dataset}
   */
  public String label() {
    return label;
  }

  /**
   * Returns the word in URLs.
   *
   * @return {@code models} or {@code datasets}
   */
  public String collection() {
    return collection;
  }

  /**
   * Finds the kind that URLs call by a word.
   *
   * @param collection {@code models} or {@code datasets}
   * @return the kind
   * @throws IllegalArgumentException if it is another word
   */
  public static ObjectKind ofCollection(String collection) {
    return Arrays.stream(values())
        .filter(kind -> kind.collection.equals(collection))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "invalid kind: " + collection + "; must be models or datasets"));
  }
}
