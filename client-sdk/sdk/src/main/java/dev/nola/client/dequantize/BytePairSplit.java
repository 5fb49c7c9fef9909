package dev.nola.client.dequantize;

import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a byte-level BPE tokenizer splits a text before it merges. GGUF has only the name of the rule
 * in llama.cpp, {@code tokenizer.ggml.pre}.
 *
 * @param pattern the parts, as a regular expression; empty for GPT-2's own
 * @param digits whether each digit is a part of its own
 * @param normalizes whether the text is normalized to NFC first
 * @param ignoresMerges whether a part that is a token is not split
 * @param addsBeginning whether texts begin with a token for it, if the file does not say
 */
record BytePairSplit(
    String pattern,
    boolean digits,
    boolean normalizes,
    boolean ignoresMerges,
    boolean addsBeginning) {
  /** Words of Llama 3 and Qwen 2, which differ in the length of numbers. */
  private static final String WORDS =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|%s"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  /**
   * Finds a rule.
   *
   * @param name its name in llama.cpp
   * @return the rule; empty if it is not known
   */
  static Optional<BytePairSplit> of(String name) {
    return switch (name) {
      case "llama-bpe", "llama3", "llama-v3" ->
          Optional.of(new BytePairSplit(WORDS.formatted("\\p{N}{1,3}"), false, false, true, true));
      case "qwen2" ->
          Optional.of(new BytePairSplit(WORDS.formatted("\\p{N}"), false, true, false, false));
      case "smollm", "starcoder", "refact", "command-r" ->
          Optional.of(new BytePairSplit("", true, false, false, false));
      case "gpt-2" -> Optional.of(new BytePairSplit("", false, false, false, false));
      default -> Optional.empty();
    };
  }

  /** Returns {@code pre_tokenizer} of tokenizer.json. */
  ObjectNode json() {
    if (pattern.isEmpty() && !digits) {
      return byteLevel(true).put("add_prefix_space", false);
    }
    ObjectNode json = JsonMapper.shared().createObjectNode().put("type", "Sequence");
    ArrayNode steps = json.putArray("pretokenizers");
    if (digits) {
      steps.addObject().put("type", "Digits").put("individual_digits", true);
    } else {
      ObjectNode step = steps.addObject().put("type", "Split");
      step.putObject("pattern").put("Regex", pattern);
      step.put("behavior", "Isolated").put("invert", false);
    }
    steps.add(byteLevel(pattern.isEmpty()).put("add_prefix_space", false));
    return json;
  }

  /** Returns the step that maps bytes to characters. */
  static ObjectNode byteLevel(boolean splits) {
    return JsonMapper.shared()
        .createObjectNode()
        .put("type", "ByteLevel")
        .put("add_prefix_space", true)
        .put("trim_offsets", true)
        .put("use_regex", splits);
  }
}
