package dev.nola.vectors;

import dev.nola.format.AdapterException;
import dev.nola.format.AdapterTooNewException;
import dev.nola.format.AdapterTooOldException;
import dev.nola.format.CorruptAdapterException;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.LimitExceededException;
import dev.nola.format.UnsupportedGeneratorException;

/** The kinds of refusal, as SPEC.md section 11 names them. */
public final class Kinds {
  public static final String ACCEPTED = "accepted";
  public static final String CORRUPT = "corrupt";
  public static final String LIMIT = "limit-exceeded";
  public static final String TOO_NEW = "too-new";
  public static final String TOO_OLD = "too-old";
  public static final String GENERATOR = "unsupported-generator";
  public static final String DIGEST = "digest-mismatch";

  private Kinds() {}

  /** Returns the kind of a refusal. */
  public static String of(AdapterException refused) {
    return switch (refused) {
      case CorruptAdapterException _ -> CORRUPT;
      case AdapterTooNewException _ -> TOO_NEW;
      case AdapterTooOldException _ -> TOO_OLD;
      case UnsupportedGeneratorException _ -> GENERATOR;
      case LimitExceededException _ -> LIMIT;
      case DigestMismatchException _ -> DIGEST;
    };
  }
}
