package dev.nola.client.lora;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.nola.client.peft.ModulePaths;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The modules that the config says PEFT adapts. PEFT ignores the factors of all others when it
 * loads a LoRA.
 */
final class ConfigTargets {
  /** The value of target_modules that means all linear modules. */
  private static final String ALL = "all-linear";

  /** Where PEFT looks for a layer's number if the config does not name the list of layers. */
  private static final String ANY_LIST = "[^.]*";

  private final JsonNode config;
  private final List<String> parameters;

  ConfigTargets(LoraConfig config) {
    this.config = config.json();
    this.parameters = config.texts("target_parameters");
  }

  /**
   * Returns a sentence about the modules whose factors PEFT would ignore.
   *
   * @return null if PEFT would ignore none, or if the config names no modules
   */
  @Nullable String warning(List<LoraPair> pairs) {
    List<String> ignored =
        pairs.stream().map(LoraPair::module).distinct().filter(this::isIgnored).toList();
    return ignored.isEmpty()
        ? null
        : "the config's target_modules, exclude_modules or layers_to_transform leave out %d of the modules that have factors, such as %s: PEFT ignores these factors, but they are imported"
            .formatted(ignored.size(), ignored.getFirst());
  }

  private boolean isIgnored(String module) {
    for (String parameter : parameters) {
      String parent = parameter.substring(0, Math.max(0, parameter.lastIndexOf('.')));
      if (parent.isEmpty() || isNamedBy(module, parent)) {
        return false;
      }
    }
    boolean tiesOutput = config.path("ensure_weight_tying").asBoolean(false);
    if (tiesOutput && ModulePaths.isOutputEmbedding(module)) {
      return false; // adapted with the input embedding
    }
    if (isMatchedBy(module, config.path("exclude_modules"))) {
      return true;
    }
    JsonNode targets = config.path("target_modules");
    if (targets.isString() && targets.asString().equals(ALL)
        || !targets.isString() && !targets.isArray()) {
      return false;
    }
    if (!isMatchedBy(module, targets)) {
      return !targets.isString() || isPattern(targets.asString());
    }
    boolean isWholePath = targets.isArray() && LoraConfig.texts(targets).contains(module);
    return !targets.isString() && !isWholePath && !isOfLayers(module);
  }

  /** Matches as PEFT does: a text is a pattern of the whole path, a list has ends of paths. */
  private static boolean isMatchedBy(String module, JsonNode names) {
    return names.isString()
        ? isPattern(names.asString()) && Pattern.matches(names.asString(), module)
        : LoraConfig.texts(names).stream().anyMatch(name -> isNamedBy(module, name));
  }

  private static boolean isNamedBy(String module, String name) {
    return module.equals(name) || module.endsWith("." + name);
  }

  /** Returns whether RE2 understands a pattern; Python understands more. */
  private static boolean isPattern(String pattern) {
    try {
      Pattern.compile(pattern);
      return true;
    } catch (PatternSyntaxException e) {
      return false;
    }
  }

  private boolean isOfLayers(String module) {
    JsonNode layers = config.path("layers_to_transform");
    List<Integer> numbers = new ArrayList<>();
    if (layers.isInt()) {
      numbers.add(layers.asInt());
    }
    layers.values().forEach(number -> numbers.add(number.asInt(-1)));
    if (numbers.isEmpty()) {
      return true;
    }
    JsonNode lists = config.path("layers_pattern");
    List<String> patterns = lists.isString() ? List.of(lists.asString()) : LoraConfig.texts(lists);
    for (String list : patterns.isEmpty() ? List.of(ANY_LIST) : patterns) {
      String number = numberAfter(list, module);
      if (number != null) {
        return numbers.stream().anyMatch(layer -> layer.toString().equals(number));
      }
    }
    return false;
  }

  private static @Nullable String numberAfter(String list, String module) {
    if (!isPattern(list)) {
      return null;
    }
    var matcher = Pattern.compile(".*\\.(?:" + list + ")\\.(\\d+)\\.").matcher(module);
    return matcher.lookingAt() ? matcher.group(matcher.groupCount()) : null;
  }
}
