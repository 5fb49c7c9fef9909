package dev.nola.client.export;

import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** An export whose names and sizes are decided. */
public interface ExportLayout {
  /**
   * Returns the modules that have a LoRA.
   *
   * @return the plan that was laid out
   */
  ExportPlan plan();

  /**
   * Returns the size of all tensors.
   *
   * @param dtype the type of the factors
   * @return bytes
   */
  default long bytes(DType dtype) {
    return plan().bytes(dtype);
  }

  /**
   * Returns how many modules are stored whole.
   *
   * @return their number; 0 unless the format can do so
   */
  default int saved() {
    return 0;
  }

  /**
   * Writes the file or folder.
   *
   * @param destination does not exist yet
   * @param factors the modules' factors
   * @return names of the files in the folder; empty if the destination is the file
   * @throws IOException if it cannot be written
   * @throws ExportRefusedException if a value is too large for the type of the factors
   * @throws InterruptedException if the thread was interrupted
   */
  List<String> write(Path destination, RoundedFactors factors)
      throws IOException, ExportRefusedException, InterruptedException;
}
