package dev.nola.registry.objects;

/** The kinds of objects; each has its own names. */
public enum ObjectKind {
  /** Files that a training reads. */
  DATASETS,
  /** A base model's files. */
  MODELS;

  /** Returns the kind that a path names. */
  static ObjectKind ofPath(String path) {
    return valueOf(path.toUpperCase());
  }

  /** Returns the word for one object, for messages. */
  String singular() {
    return this == DATASETS ? "dataset" : "model";
  }
}
