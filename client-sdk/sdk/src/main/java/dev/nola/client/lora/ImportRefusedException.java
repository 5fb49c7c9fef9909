package dev.nola.client.lora;

import dev.nola.client.RefusedException;
import dev.nola.text.Printable;
import java.util.List;

/** Thrown if files of PEFT cannot become an adapter. */
public final class ImportRefusedException extends RefusedException {
  private final Reason reason;

  /** The reasons for a refusal. */
  public enum Reason {
    /** The path is not an adapter of PEFT in the safetensors format. */
    NOT_PEFT,
    /** The method, or a setting of it, cannot be expressed as a product of two factors. */
    UNSUPPORTED,
    /** Tensors are not understood, contradict each other or hold illegal values. */
    CONTENT,
    /**
     * Names or layouts cannot be resolved without the base model, or the base model does not fit.
     */
    BASE
  }

  ImportRefusedException(Reason reason, String message, List<String> details) {
    super(Printable.escaped(message), details.stream().map(Printable::escaped).toList());
    this.reason = reason;
  }

  ImportRefusedException(Reason reason, String message) {
    this(reason, message, List.of());
  }

  @Override
  public Reason reason() {
    return reason;
  }
}
