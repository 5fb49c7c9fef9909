package dev.nola.format;

/**
 * The largest sizes that a file may declare (SPEC.md section 10). Wide enough for adapters of the
 * largest published models; narrow enough that no arithmetic on declared sizes overflows and no
 * small file makes a reader allocate much.
 */
public final class Limits {
  /** Bytes of the manifest. */
  public static final int MANIFEST_BYTES = 16 << 20;

  /** Bytes of the codes section: scales and packed codes. */
  public static final int CODES_BYTES = 1 << 30;

  /** Bytes of the dense section. */
  public static final long DENSE_BYTES = 1L << 46;

  /** Layers after expansion of groups. */
  public static final int LAYERS = 1 << 16;

  /** Dense tensors. */
  public static final int DENSE_TENSORS = 1 << 16;

  /** Dimensions of a stored shape. */
  public static final int DIMENSIONS = 8;

  /** UTF-8 bytes of a tensor name, base name, base revision, tag, metric name or provenance key. */
  public static final int NAME_BYTES = 256;

  /** UTF-8 bytes of a description, task, licence or provenance value. */
  public static final int TEXT_BYTES = 1 << 16;

  /** Tags, metrics and provenance entries, each. */
  public static final int METADATA_ENTRIES = 1 << 12;

  /** Σ over layers and sides of the factor's elements. */
  public static final long FACTOR_ELEMENTS = 1L << 38;

  /** Σ over layers and sides of coefficients × the factor's elements. */
  public static final long BASIS_ELEMENTS = 1L << 53;

  private Limits() {}
}
