package dev.nola.client.export.mlx;

import dev.nola.client.export.ExportLayout;
import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.LoraModule;
import dev.nola.client.export.RoundedFactors;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes the folder.
 *
 * @param plan of one rank
 * @param names of the plan's modules in mlx-lm, in their order
 * @param layers number of layers of the base model; 0 if it is not known
 */
record MlxLayout(ExportPlan plan, List<String> names, int layers) implements ExportLayout {
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapters.safetensors";

  /** mlx-lm's number for all layers. */
  private static final int ALL_LAYERS = -1;

  private static final Pattern IN_LAYER = Pattern.compile("(?:.+\\.)?(?:layers|h)\\.(\\d+)\\.(.+)");

  @Override
  public List<String> write(Path folder, RoundedFactors factors)
      throws IOException, ExportRefusedException, InterruptedException {
    Files.createDirectory(folder);
    Iterator<String> remaining = names.iterator();
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(
            folder.resolve(WEIGHTS), slots(factors.dtype()), Map.of("format", "mlx"))) {
      factors.write(
          plan,
          lora -> {
            String name = remaining.next();
            factors.encode(lora.transposedA(), bytes -> writer.write(name + ".lora_a", bytes));
            factors.encode(lora.transposedB(), bytes -> writer.write(name + ".lora_b", bytes));
          });
    }
    Files.write(folder.resolve(CONFIG), config());
    return List.of(CONFIG, WEIGHTS);
  }

  private List<Slot> slots(DType dtype) {
    long rank = plan.rank();
    List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      LoraModule module = plan.modules().get(i);
      slots.add(Slot.matrix(names.get(i) + ".lora_a", dtype, module.in(), rank));
      slots.add(Slot.matrix(names.get(i) + ".lora_b", dtype, rank, module.out()));
    }
    return slots;
  }

  private byte[] config() {
    int first = layers;
    SequencedSet<String> keys = new TreeSet<>();
    for (String name : names) {
      Matcher inLayer = IN_LAYER.matcher(name);
      if (inLayer.matches()) {
        first = Math.min(first, Integer.parseInt(inLayer.group(1)));
        keys.add(inLayer.group(2));
      } else {
        keys.add(name);
      }
    }
    ObjectNode config = JsonMapper.shared().createObjectNode();
    config.put("fine_tune_type", "lora");
    // mlx-lm counts layers from the last one; it also adapts those above the first that lack a
    // LoRA, to no effect: a new lora_b is zero.
    config.put("num_layers", layers == 0 ? ALL_LAYERS : layers - first);
    ObjectNode parameters = config.putObject("lora_parameters");
    parameters.put("rank", plan.rank());
    parameters.put("scale", 1.0);
    parameters.put("dropout", 0.0);
    ArrayNode array = parameters.putArray("keys");
    keys.forEach(array::add);
    return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
  }
}
