package dev.nola.client.jobs;

/** What jobs are done with. */
public enum ObjectKind {
  /** A base model's folder. */
  MODEL("models"),
  /** Files of examples. */
  DATASET("datasets");

  private final String collection;

  ObjectKind(String collection) {
    this.collection = collection;
  }

  /** The word in URLs. */
  String collection() {
    return collection;
  }
}
