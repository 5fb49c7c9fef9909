package dev.nola.client.export.peft;

import java.util.List;

/** An adapter that cannot be a LoRA of PEFT as asked; nothing was written. */
public final class ExportRefusedException extends Exception {
  private final Reason reason;
  private final List<String> details;

  /** Why. */
  public enum Reason {
    /** Layers or dense tensors have no counterpart in PEFT; the details name each. */
    CONTENT,
    /** The orientation of the weights cannot be told. */
    ORIENTATION,
    /** vLLM asks for something that is not there, or does not take something that is. */
    VLLM,
    /** The task needs a head that the adapter does not have. */
    TASK,
    /** A value is too large for the type of the factors. */
    OVERFLOW,
    /** The destination exists, or the folder that should hold it does not. */
    DESTINATION
  }

  ExportRefusedException(Reason reason, String message, List<String> details) {
    super(details.isEmpty() ? message : message + ":\n  " + String.join("\n  ", details));
    this.reason = reason;
    this.details = List.copyOf(details);
  }

  ExportRefusedException(Reason reason, String message) {
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
