package dev.nola.client.lora;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Names that tensors have in checkpoints if the loaded model names its modules in another way, as
 * transformers does from version 5 on.
 */
final class CheckpointNames {
  /** Vision transformers (ViT, DeiT, DINOv2). */
  private static final Map<String, String> VISION = new LinkedHashMap<>();

  /** Mixtral and similar models. */
  private static final Map<String, String> SPARSE = new LinkedHashMap<>();

  static {
    VISION.put("(?<=^|\\.)layers\\.(\\d+)\\.", "encoder.layer.$1.");
    VISION.put("\\.attention\\.q_proj\\.", ".attention.attention.query.");
    VISION.put("\\.attention\\.k_proj\\.", ".attention.attention.key.");
    VISION.put("\\.attention\\.v_proj\\.", ".attention.attention.value.");
    VISION.put("\\.attention\\.o_proj\\.", ".attention.output.dense.");
    VISION.put("\\.mlp\\.fc1\\.", ".intermediate.dense.");
    VISION.put("\\.mlp\\.fc2\\.", ".output.dense.");
    SPARSE.put("\\.mlp\\.(experts|gate)\\.", ".block_sparse_moe.$1.");
  }

  private CheckpointNames() {}

  /** Returns other names that a tensor may have. */
  static List<String> of(String name) {
    return List.of(renamed(name, VISION), renamed(name, SPARSE));
  }

  private static String renamed(String name, Map<String, String> rules) {
    String result = name;
    for (Map.Entry<String, String> rule : rules.entrySet()) {
      result = result.replaceAll(rule.getKey(), rule.getValue());
    }
    return result;
  }
}
