package dev.nola.registry.hub;

import dev.nola.api.name.NameRule;
import dev.nola.client.lora.LoraImport;
import dev.nola.generator.Generator;
import dev.nola.registry.web.Refusal;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * How a commit becomes a version, as {@code nola.yaml} says.
 *
 * @param version number of the version; null for the next
 * @param bits width of a code of a LoRA that is imported; null for the usual
 */
record CommitSettings(@Nullable String version, @Nullable Integer bits) {
  /** Those of a commit without the file. */
  static final CommitSettings NONE = new CommitSettings(null, null);

  private static final int MAX_DEPTH = 4;

  /** Returns the width of a code of a LoRA that is imported. */
  int importBits() {
    return bits == null ? LoraImport.DEFAULT_BITS : bits;
  }

  /**
   * Reads the file.
   *
   * @param text its content
   * @return the settings
   * @throws Refusal with status 422 if it is not YAML, or has a key or value that breaks a rule
   */
  static CommitSettings parse(String text) {
    LoaderOptions options = new LoaderOptions();
    options.setNestingDepthLimit(MAX_DEPTH);
    options.setMaxAliasesForCollections(0);
    options.setAllowDuplicateKeys(false);
    Object yaml;
    try {
      yaml = new Yaml(new SafeConstructor(options)).load(text);
    } catch (YAMLException e) {
      throw invalid("invalid YAML: " + e.getMessage().lines().findFirst().orElse(""));
    }
    if (yaml == null) {
      return NONE;
    }
    if (!(yaml instanceof Map<?, ?> keys)) {
      throw invalid("not a mapping; must have keys such as version: 1.0.0");
    }
    CommitSettings settings = NONE;
    for (Map.Entry<?, ?> entry : keys.entrySet()) {
      settings = settings.with(String.valueOf(entry.getKey()), entry.getValue());
    }
    return settings;
  }

  private CommitSettings with(String key, @Nullable Object value) {
    return switch (key) {
      case "version" -> {
        if (!(value instanceof String number) || !NameRule.VERSION.isMet(number)) {
          throw invalid(NameRule.VERSION.message(String.valueOf(value)));
        }
        yield new CommitSettings(number, bits);
      }
      case "bits" -> {
        if (!(value instanceof Integer width) || width < 1 || width > Generator.MAX_BITS) {
          throw invalid("invalid bits: %s; must be 1 to %d".formatted(value, Generator.MAX_BITS));
        }
        yield new CommitSettings(version, width);
      }
      default -> throw invalid("unknown key: %s; must be bits or version".formatted(key));
    };
  }

  private static Refusal invalid(String rule) {
    return Refusal.invalid(CommitFile.SETTINGS.path(), CommitFile.SETTINGS.path() + ": " + rule);
  }
}
