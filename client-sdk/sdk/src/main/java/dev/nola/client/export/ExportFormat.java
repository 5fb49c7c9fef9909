package dev.nola.client.export;

import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.peft.TaskType;
import dev.nola.format.Adapter;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A kind of file, or folder, that holds a LoRA. Immutable. */
public interface ExportFormat {
  /**
   * Names the format in messages.
   *
   * @return such as {@code PEFT LoRA}
   */
  String title();

  /**
   * Decides what the loaded model is for, and refuses what no base model can make exportable.
   *
   * @param adapter the adapter
   * @param requested what the user names; null for the adapter's own
   * @param warnings receives what the user should know
   * @return the task; null if it is not known
   * @throws ExportRefusedException if the format cannot hold the adapter, or not for this task
   */
  default @Nullable TaskType task(
      Adapter adapter, @Nullable TaskType requested, List<String> warnings)
      throws ExportRefusedException {
    return requested != null ? requested : TaskType.ofTask(adapter.metadata().task()).orElse(null);
  }

  /**
   * Finds layers and dense tensors that the format cannot hold.
   *
   * @param source the adapter and its base model
   * @param wrong receives a sentence for each, which begins with the tensor's name
   * @throws IOException if the base model cannot be read
   */
  void check(ExportSource source, List<String> wrong) throws IOException;

  /**
   * Decides names and sizes.
   *
   * @param source the adapter and its base model, already {@linkplain #check checked}
   * @param plan the modules that become LoRAs
   * @param findings receives what is wrong and what the user should know
   * @return how to write it
   * @throws ExportRefusedException if the format needs what is not known
   * @throws IOException if the base model cannot be read
   */
  ExportLayout layout(ExportSource source, ExportPlan plan, Findings findings)
      throws IOException, ExportRefusedException;

  /**
   * What a format has to say.
   *
   * @param wrong receives sentences that refuse the export
   * @param warnings receives what the user should know
   */
  record Findings(List<String> wrong, List<String> warnings) {
    /**
     * Refuses the export if anything is wrong.
     *
     * @param title the format in messages
     * @throws ExportRefusedException if it is
     */
    public void requireNothingWrong(String title) throws ExportRefusedException {
      if (!wrong.isEmpty()) {
        throw new ExportRefusedException(
            Reason.CONTENT, "the adapter cannot be exported as a " + title, wrong);
      }
    }
  }
}
