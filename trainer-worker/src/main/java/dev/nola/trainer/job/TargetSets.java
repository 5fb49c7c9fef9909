package dev.nola.trainer.job;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Named sets of targets, as patterns for the names of Llama's, GPT-2's and BERT's tensors. */
public final class TargetSets {
  static final String ALL_LINEAR = "\\.weight$";
  static final String QV = "\\.(q_proj|v_proj|query|value)\\.weight$";

  /** The patterns, by the name in {@code method.targets}. */
  public static final Map<String, String> PATTERNS = patterns();

  private TargetSets() {}

  private static Map<String, String> patterns() {
    Map<String, String> sets = new LinkedHashMap<>();
    sets.put("qv", QV);
    // BERT's attention has an output.dense, too; its prefix is not a layer number.
    sets.put(
        "mlp",
        "\\.mlp\\.(gate|up|down)_proj\\.weight$|\\.mlp\\.c_(fc|proj)\\.weight$|\\.[0-9]+\\.(intermediate|output)\\.dense\\.weight$");
    sets.put("all-linear", ALL_LINEAR);
    return Collections.unmodifiableMap(sets);
  }
}
