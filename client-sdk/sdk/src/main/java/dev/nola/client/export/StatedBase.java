package dev.nola.client.export;

import dev.nola.client.peft.HubName;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.format.BaseModel;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * The base model as an export names it.
 *
 * @param name null if it is not known
 * @param revision null if it is not known
 */
public record StatedBase(@Nullable String name, @Nullable String revision) {
  /**
   * Finds the name: the requested one, else the adapter's, else that in the model's config.
   *
   * @param requested null if the user names none
   * @param stated what the adapter states; its revision is that of the name that it states
   * @param model the base model; null if it is not known
   * @throws InvalidModelException if the model's config is not a JSON object
   */
  static StatedBase of(@Nullable String requested, BaseModel stated, @Nullable Model model)
      throws InvalidModelException {
    String name = requested != null ? requested : stated.name();
    if (name.isEmpty()) {
      ObjectNode config = model == null ? null : model.config();
      String configured = config == null ? "" : config.path("_name_or_path").asString("");
      return new StatedBase(HubName.isMeant(configured) ? configured : null, null);
    }
    boolean isStated = name.equals(stated.name()) && !stated.revision().isEmpty();
    return new StatedBase(name, isStated ? stated.revision() : null);
  }
}
