package dev.nola.client.export;

import dev.nola.client.RefusedException;
import java.util.List;

/** An adapter that cannot be exported as asked; nothing was written. */
public final class ExportRefusedException extends RefusedException {
  private final Reason reason;

  /** The reasons for a refusal. */
  public enum Reason {
    /** The format cannot hold layers or dense tensors; the details name each. */
    CONTENT,
    /** The base model does not have the adapted tensors; the details name each. */
    BASE,
    /** Where the loaded model has the modules cannot be told. */
    MODULES,
    /** The orientation of the weights cannot be told. */
    ORIENTATION,
    /** vLLM asks for something that is not there, or does not take something that is. */
    VLLM,
    /** The format needs a base model whose type it knows. */
    ARCHITECTURE,
    /** The task needs a head that the adapter does not have. */
    TASK,
    /** No class of Transformers computes the adapter's head. */
    HEAD,
    /** A value is too large for the type of the factors. */
    OVERFLOW,
    /** The destination exists, or the folder that should hold it does not. */
    DESTINATION
  }

  /**
   * Refuses an export.
   *
   * @param reason why
   * @param message what the user reads
   * @param details a sentence for each part that is refused
   */
  public ExportRefusedException(Reason reason, String message, List<String> details) {
    super(message, details);
    this.reason = reason;
  }

  /**
   * Refuses an export.
   *
   * @param reason why
   * @param message what the user reads
   */
  public ExportRefusedException(Reason reason, String message) {
    this(reason, message, List.of());
  }

  @Override
  public Reason reason() {
    return reason;
  }
}
