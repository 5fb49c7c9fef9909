package dev.nola.trainer.onnx;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The names and shapes of a BERT encoder's weights. */
final class EncoderLayout {
  static final String WEIGHT = ".weight";
  static final String BIAS = ".bias";
  static final String WORDS = "embeddings.word_embeddings.weight";

  private EncoderLayout() {}

  /** Returns the shape of each weight by name. */
  static Map<String, List<Long>> expected(EncoderConfig config) {
    long hidden = config.hidden();
    long wide = config.intermediate();
    Map<String, List<Long>> expected = new LinkedHashMap<>();
    expected.put(WORDS, List.of((long) config.vocabulary(), hidden));
    expected.put(
        "embeddings.position_embeddings.weight", List.of((long) config.positions(), hidden));
    expected.put(
        "embeddings.token_type_embeddings.weight", List.of((long) config.tokenTypes(), hidden));
    norms(config.layers())
        .forEach(
            norm -> {
              expected.put(norm + WEIGHT, List.of(hidden));
              expected.put(norm + BIAS, List.of(hidden));
            });
    for (int i = 0; i < config.layers(); i++) {
      String layer = "encoder.layer." + i + ".";
      for (String module : List.of("self.query", "self.key", "self.value", "output.dense")) {
        expected.put(layer + "attention." + module + WEIGHT, List.of(hidden, hidden));
        expected.put(layer + "attention." + module + BIAS, List.of(hidden));
      }
      expected.put(layer + "intermediate.dense.weight", List.of(wide, hidden));
      expected.put(layer + "intermediate.dense.bias", List.of(wide));
      expected.put(layer + "output.dense.weight", List.of(hidden, wide));
      expected.put(layer + "output.dense.bias", List.of(hidden));
    }
    return expected;
  }

  /** Returns the names of the norms. */
  static List<String> norms(int layers) {
    List<String> norms = new ArrayList<>(List.of("embeddings.LayerNorm"));
    for (int i = 0; i < layers; i++) {
      norms.add("encoder.layer." + i + ".attention.output.LayerNorm");
      norms.add("encoder.layer." + i + ".output.LayerNorm");
    }
    return norms;
  }
}
