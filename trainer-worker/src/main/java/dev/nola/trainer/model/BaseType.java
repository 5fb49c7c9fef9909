package dev.nola.trainer.model;

/** How a base model's matrices are kept in memory. */
public enum BaseType {
  /** As f32, exactly. */
  F32,
  /** As whole numbers of 8 bits, with a scale for each row; rounded. */
  INT8;

  /** Key in an adapter's provenance, for a base that is not f32. */
  public static final String KEY = "base type";
}
