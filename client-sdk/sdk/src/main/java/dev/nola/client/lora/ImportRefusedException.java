package dev.nola.client.lora;

import java.util.List;

/** Thrown if files of PEFT cannot become an adapter; nothing was written. */
public final class ImportRefusedException extends Exception {
  private final Reason reason;
  private final List<String> details;

  /** The kinds of reasons. */
  public enum Reason {
    /** The path is not an adapter of PEFT in the safetensors format. */
    NOT_PEFT,
    /** The method, or a setting of it, cannot be expressed as a product of two factors. */
    UNSUPPORTED,
    /** Tensors are not understood, contradict each other or hold illegal values. */
    CONTENT,
    /** The base model is needed to tell what is meant, or does not fit. */
    BASE
  }

  ImportRefusedException(Reason reason, String message, List<String> details) {
    super(details.isEmpty() ? message : message + ":\n  " + String.join("\n  ", details));
    this.reason = reason;
    this.details = List.copyOf(details);
  }

  ImportRefusedException(Reason reason, String message) {
    this(reason, message, List.of());
  }

  /**
   * Returns the kind of reason.
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
