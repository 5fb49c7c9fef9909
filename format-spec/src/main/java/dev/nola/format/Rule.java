package dev.nola.format;

/**
 * The checks of the reader, each with the number of its rule in SPEC.md section 11. Where several
 * fields share a check, the part name passed to {@link Rules#isBroken} says which one it is for.
 */
enum Rule {
  /** Header and checksum. */
  SMALLEST_FILE(1, Kind.CORRUPT),
  MAGIC(2, Kind.CORRUPT),
  MAJOR_SUPPORTED(3, Kind.TOO_OLD),
  MAJOR_KNOWN(4, Kind.TOO_NEW),
  NO_CANDIDATE(4, Kind.TOO_OLD),
  FEATURES_KNOWN(5, Kind.TOO_NEW),
  PART_LENGTH(6, Kind.LIMIT),
  FILE_LENGTH(7, Kind.CORRUPT),
  CHECKSUM(8, Kind.CORRUPT),

  /** Decoding the manifest. */
  INSIDE(9, Kind.CORRUPT),
  VTABLE_LENGTH(9, Kind.CORRUPT),
  CHARGE(9, Kind.CORRUPT),
  WELL_FORMED_TEXT(9, Kind.CORRUPT),
  FIELD_PRESENT(9, Kind.CORRUPT),

  /** Limits on what the manifest declares. */
  COUNT_LIMIT(10, Kind.LIMIT),
  DIMENSIONS_LIMIT(10, Kind.LIMIT),
  TEXT_LIMIT(10, Kind.LIMIT),
  ELEMENTS_LIMIT(10, Kind.LIMIT),

  GENERATOR_KNOWN(11, Kind.GENERATOR),

  /** Codes section. */
  CODE_WIDTH(12, Kind.CORRUPT),
  COEFFICIENTS_PRESENT(12, Kind.CORRUPT),
  UNUSED_BITS(12, Kind.CORRUPT),
  SCALE(12, Kind.CORRUPT),
  CODES_LENGTH(12, Kind.CORRUPT),

  /** Dense section. */
  DTYPE(13, Kind.CORRUPT),
  PADDING(13, Kind.CORRUPT),
  DENSE_LENGTH(13, Kind.CORRUPT),

  /** Content. */
  NUMBER_RANGE(14, Kind.CORRUPT),
  NOT_EMPTY(14, Kind.CORRUPT),
  NO_CONTROL_CHARACTER(14, Kind.CORRUPT),
  DIMENSIONS_PRESENT(14, Kind.CORRUPT),
  DIMENSION(14, Kind.CORRUPT),
  RANK(14, Kind.CORRUPT),
  SLICE(14, Kind.CORRUPT),
  SLICE_INSIDE(14, Kind.CORRUPT),
  SLICE_PROPER(14, Kind.CORRUPT),
  VIEW(14, Kind.CORRUPT),
  GROUP_COUNT(14, Kind.CORRUPT),
  GROUP_INDEX(14, Kind.CORRUPT),
  ASCENDING(14, Kind.CORRUPT),
  METRIC_FINITE(14, Kind.CORRUPT),
  METRIC_NOT_MINUS_ZERO(14, Kind.CORRUPT),
  SOMETHING_INSIDE(14, Kind.CORRUPT),
  SHAPES_AGREE(14, Kind.CORRUPT),
  DISJOINT(14, Kind.CORRUPT),
  DENSE_NAMES_DISTINCT(14, Kind.CORRUPT),
  DENSE_NOT_ADAPTED(14, Kind.CORRUPT),
  EXACT_SUMS(14, Kind.CORRUPT),
  COLUMNS(14, Kind.CORRUPT),
  IDENTITY_COUNT(14, Kind.CORRUPT),
  IDENTITY_SEED(14, Kind.CORRUPT),
  IDENTITY_STREAM(14, Kind.CORRUPT),

  /** Limits on factors. */
  FACTOR_LENGTH(15, Kind.LIMIT),
  FACTOR_SUM(15, Kind.LIMIT),
  BASIS_SUM(15, Kind.LIMIT),

  CANONICAL(16, Kind.CORRUPT);

  /** What a file that breaks a rule is refused as. */
  enum Kind {
    CORRUPT,
    TOO_OLD,
    TOO_NEW,
    LIMIT,
    GENERATOR
  }

  private final int number;
  private final Kind kind;

  Rule(int number, Kind kind) {
    this.number = number;
    this.kind = kind;
  }

  /** Returns the rule's number in SPEC.md section 11. */
  int number() {
    return number;
  }

  /** Returns what a file that breaks the rule is refused as. */
  Kind kind() {
    return kind;
  }
}
