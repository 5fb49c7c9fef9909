package dev.nola.client.merge;

import dev.nola.client.RefusedException;
import java.util.List;

/**
 * A merge that the base model, the adapters or the destination do not allow; nothing was written.
 */
public final class MergeRefusedException extends RefusedException {
  private final Reason reason;

  /** The reasons for a refusal. */
  public enum Reason {
    /** Adapted tensors are missing or of another shape or type; the details name each. */
    TARGETS,
    /**
     * A dense tensor would replace one of another shape, or one that is not F32, F16 or BF16; the
     * details name each. {@link ModelMerge.Builder#reshape} allows it.
     */
    RESHAPE,
    /** The base model is not the one that an adapter was made for. */
    BASE,
    /** Transformers has no class that computes the head that an adapter brings. */
    HEAD,
    /** A finite weight would be infinite in its type. */
    OVERFLOW,
    /** The destination exists, or is a part of the base model. */
    DESTINATION
  }

  MergeRefusedException(Reason reason, String message, List<String> details) {
    super(message, details);
    this.reason = reason;
  }

  MergeRefusedException(Reason reason, String message) {
    this(reason, message, List.of());
  }

  @Override
  public Reason reason() {
    return reason;
  }
}
