package dev.nola.registry.objects;

/** What an object is; each kind has names of its own. */
public enum ObjectKind {
  /** Files that a training reads. */
  DATASETS,
  /** A base model's files. */
  MODELS;

  /** As paths name it. */
  static ObjectKind ofPath(String path) {
    return valueOf(path.toUpperCase());
  }

  /** One of them, for messages. */
  String singular() {
    return this == DATASETS ? "dataset" : "model";
  }
}
