package dev.nola.client.lora;

import dev.nola.text.Printable;
import java.util.List;

/**
 * What an import found and what quantizing it has changed. Its components are those of {@code
 * --json}.
 *
 * @param modules number of modules, or parameters, that have a LoRA
 * @param saved number of tensors stored whole
 * @param bytes size of PEFT's file
 * @param quantization the error of the quantized factors
 * @param f16 the error that rounding the factors to f16 would have; 0 if they are f16 already
 * @param notes what the user should know
 * @param warnings what the user should heed: where the adapter differs from what PEFT does
 */
public record ImportReport(
    int modules,
    int saved,
    long bytes,
    DeltaError quantization,
    DeltaError f16,
    List<String> notes,
    List<String> warnings) {
  /** Copies the lists; names in them may have control characters, which are escaped. */
  public ImportReport {
    notes = notes.stream().map(Printable::escaped).toList();
    warnings = warnings.stream().map(Printable::escaped).toList();
  }

  /**
   * An error of ΔW in Frobenius norms.
   *
   * @param overall ‖ΔW' − ΔW‖ / ‖ΔW‖ over all modules together
   * @param largest the largest ‖ΔW' − ΔW‖ / ‖ΔW‖ of one module
   * @param module path of the module with the largest error; empty if every error is 0
   */
  public record DeltaError(double overall, double largest, String module) {}
}
