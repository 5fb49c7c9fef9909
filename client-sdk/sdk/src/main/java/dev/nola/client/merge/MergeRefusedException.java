package dev.nola.client.merge;

import java.util.List;

/**
 * A merge that the base model, the adapters or the destination do not allow; nothing was written.
 */
public final class MergeRefusedException extends Exception {
  private final Reason reason;
  private final List<String> details;

  /** Why. */
  public enum Reason {
    /** Adapted tensors are missing or of another shape or type; the details name each. */
    TARGETS,
    /**
     * A dense tensor would replace a tensor of another shape or type; the details name each. {@link
     * ModelMerge.Builder#reshape} allows it.
     */
    RESHAPE,
    /** The base model is not the one that an adapter was made for. */
    BASE,
    /** A merged weight would be infinite. */
    OVERFLOW,
    /** The destination exists, or is a part of the base model. */
    DESTINATION
  }

  MergeRefusedException(Reason reason, String message, List<String> details) {
    super(details.isEmpty() ? message : message + ":\n  " + String.join("\n  ", details));
    this.reason = reason;
    this.details = List.copyOf(details);
  }

  MergeRefusedException(Reason reason, String message) {
    this(reason, message, List.of());
  }

  /**
   * Returns the reason.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }

  /**
   * Returns each problem, when there may be several; empty otherwise.
   *
   * @return the problems
   */
  public List<String> details() {
    return details;
  }
}
