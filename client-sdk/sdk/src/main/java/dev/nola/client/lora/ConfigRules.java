package dev.nola.client.lora;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Finds settings of a LoRA whose effect is not just W + scaling · lora_B·lora_A. */
final class ConfigRules {
  private static final String MERGE =
      "; merge it with PEFT (merge_and_unload) and use the merged model";

  /** Why a setting cannot be expressed if it is set, by key. */
  private static final Map<String, String> REFUSED = new LinkedHashMap<>();

  static {
    REFUSED.put("use_dora", "DoRA rescales W + ΔW by magnitudes of its own" + MERGE);
    REFUSED.put(
        "lora_bias",
        "the biases of lora_B change biases, and adapters change weights only" + MERGE);
    REFUSED.put(
        "trainable_token_indices", "trained tokens replace single rows of an embedding" + MERGE);
    REFUSED.put(
        "layer_replication",
        "replicated layers make another model of the base model; merge it with PEFT");
    REFUSED.put(
        "alora_invocation_tokens",
        "an activated LoRA (aLoRA) applies to some tokens only, so no weight expresses it");
    REFUSED.put("use_qalora", "QA-LoRA pools the inputs of lora_A");
    REFUSED.put("kasa_config", "KaSA changes the base weights and has singular values of its own");
    REFUSED.put("monteclora_config", "MonteCLoRA samples its factors");
    REFUSED.put("use_bdlora", "BD-LoRA has factors of diagonal blocks");
    REFUSED.put("arrow_config", "Arrow routes tokens to several LoRAs");
    REFUSED.put("enable_lora", "merged linear modules (enable_lora) are of a PEFT before 0.3");
  }

  private static final Set<String> INITS =
      Set.of("true", "false", "gaussian", "eva", "orthogonal", "mica");

  /** Initializations that change the base weights, which the adapter does not record. */
  private static final Set<String> INITS_OF_BASE =
      Set.of("pissa", "corda", "olora", "loftq", "lora_ga");

  private ConfigRules() {}

  /** Returns a sentence for each setting that cannot be expressed. */
  static List<String> violations(JsonNode config) {
    List<String> wrong = new ArrayList<>();
    ConfigTypes.requireTypes(config, wrong);
    REFUSED.forEach(
        (key, why) -> {
          if (isSet(config.path(key))) {
            wrong.add(key + ": " + why);
          }
        });
    String bias = config.path("bias").isString() ? config.path("bias").asString() : "none";
    if (!bias.equals("none")) {
      wrong.add(
          "bias: is %s, but adapters change weights only, not biases%s".formatted(bias, MERGE));
    }
    JsonNode init = config.path("init_lora_weights");
    if (!init.isMissingNode() && !init.isNull() && !init.isBoolean() && !init.isString()) {
      return wrong;
    }
    String name = init.isMissingNode() || init.isNull() ? "true" : init.asString("");
    String kind = name.toLowerCase(Locale.ROOT).replaceFirst("_niter_\\d+$", "");
    if (INITS_OF_BASE.contains(kind)) {
      wrong.add(
          "init_lora_weights: %s changes the base weights when PEFT loads the LoRA; save it as a plain LoRA with save_pretrained(…, path_initial_model_for_weight_conversion=…)"
              .formatted(name));
    } else if (!INITS.contains(kind)) {
      wrong.add(
          "init_lora_weights: %s is not known, so it may change the base weights".formatted(init));
    }
    return wrong;
  }

  /** Returns a sentence for each setting that is not known. */
  static List<String> notes(JsonNode config) {
    List<String> notes = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : config.properties()) {
      if (isSet(entry.getValue())
          && !ConfigTypes.isKnown(entry.getKey())
          && !REFUSED.containsKey(entry.getKey())) {
        notes.add("the setting %s is not known and was ignored".formatted(entry.getKey()));
      }
    }
    return notes;
  }

  private static boolean isSet(JsonNode value) {
    return switch (value.getNodeType()) {
      case MISSING, NULL -> false;
      case BOOLEAN -> value.asBoolean();
      case NUMBER -> value.asDouble() != 0;
      case STRING -> !value.asString().isEmpty();
      default -> !value.isEmpty();
    };
  }
}
