package dev.nola.client.export.peft;

import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.peft.TaskType;
import dev.nola.format.Adapter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides which task the config states. PEFT takes for granted that an adapter of some tasks brings
 * a head, and cannot load one that does not.
 */
final class StatedTask {
  private StatedTask() {}

  /**
   * Returns the task.
   *
   * @param requested what the user names; null for the adapter's own
   * @param head what the adapter states of its head
   * @param warnings receives why no task is stated, if the adapter's own cannot be
   * @return the task; null for none
   * @throws ExportRefusedException if the requested task needs a head that the adapter lacks
   */
  static @Nullable TaskType of(
      @Nullable TaskType requested, Adapter adapter, StatedHead head, List<String> warnings)
      throws ExportRefusedException {
    TaskType stated =
        requested != null
            ? requested
            : head.headClass()
                .map(HeadClass::task)
                .or(() -> TaskType.ofTask(adapter.metadata().task()))
                .orElse(null);
    if (stated == null || stated.heads().isEmpty() || hasHead(adapter, stated)) {
      return stated;
    }
    String why =
        "PEFT expects an adapter for %s to replace %s, but this one does not"
            .formatted(stated, String.join(" or ", stated.heads()));
    if (requested != null) {
      throw new ExportRefusedException(Reason.TASK, why + "; omit the task");
    }
    warnings.add(why + ", so the config states no task");
    return null;
  }

  private static boolean hasHead(Adapter adapter, TaskType task) {
    return adapter.dense().stream()
        .anyMatch(tensor -> task.headOf(ModulePaths.moduleOf(tensor.name())).isPresent());
  }
}
