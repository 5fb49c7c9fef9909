package dev.nola.client.dequantize;

import dev.nola.client.gguf.GgufFile;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Rebuilds the files of a BPE tokenizer from the metadata of a GGUF file: of a byte-level one, or
 * of SentencePiece's.
 */
final class GgufTokenizer {
  private static final String PREFIX = "tokenizer.ggml.";

  /** What SentencePiece writes for a space. */
  private static final String SPACE = "\u2581";

  /** Token types of GGUF. */
  private static final long NORMAL = 1;

  private static final long CONTROL = 3;

  private static final long USER_DEFINED = 4;

  /** Tokens that tokenizer_config.json names, by the prefix of their keys in GGUF. */
  private static final Map<String, String> ROLES =
      Map.of("bos", "bos", "eos", "eos", "unk", "unknown", "pad", "padding");

  private final GgufFile file;
  private final List<String> tokens;
  private final List<Long> types;
  private final List<Double> scores;

  /** The rule of a byte-level tokenizer that is known. */
  private final @Nullable BytePairSplit split;

  private final boolean pieces;

  GgufTokenizer(GgufFile file) {
    this.file = file;
    this.tokens = file.list(PREFIX + "tokens", String.class);
    String model = file.text(PREFIX + "model").orElse("none");
    boolean unique = new HashSet<>(tokens).size() == tokens.size();
    this.types = file.list(PREFIX + "token_type", Long.class);
    this.scores = file.list(PREFIX + "scores", Double.class);
    this.pieces =
        model.equals("llama")
            && unique
            && !tokens.isEmpty()
            && scores.size() == tokens.size()
            && types.size() == tokens.size();
    this.split =
        model.equals("gpt2") && unique && !tokens.isEmpty()
            ? BytePairSplit.of(file.text(PREFIX + "pre").orElse("")).orElse(null)
            : null;
  }

  /** Returns the content of the files by name; empty if the tokenizer cannot be rebuilt. */
  SequencedMap<String, ObjectNode> files() {
    SequencedMap<String, ObjectNode> files = new LinkedHashMap<>();
    if (split != null || pieces) {
      files.put("tokenizer.json", split == null ? pieceTokenizer() : byteTokenizer(split));
      files.put("tokenizer_config.json", config());
    }
    return files;
  }

  /** Returns what is missing. */
  List<String> warnings() {
    return split != null || pieces
        ? List.of()
        : List.of(
            "no tokenizer was written, because the one in the file (%s, %s) is unknown or incomplete; copy tokenizer.json and tokenizer_config.json of the original model"
                .formatted(
                    file.text(PREFIX + "model").orElse("none"),
                    file.text(PREFIX + "pre").orElse("not named")));
  }

  private ObjectNode byteTokenizer(BytePairSplit rule) {
    ObjectNode json = begin();
    if (rule.normalizes()) {
      json.putObject("normalizer").put("type", "NFC");
    } else {
      json.putNull("normalizer");
    }
    json.set("pre_tokenizer", rule.json());
    ObjectNode ends = ends(rule.addsBeginning());
    json.set("post_processor", ends == null ? BytePairSplit.byteLevel(true) : ends);
    json.set("decoder", BytePairSplit.byteLevel(true));
    model(json, file.list(PREFIX + "merges", String.class))
        .put("ignore_merges", rule.ignoresMerges());
    return json;
  }

  private ObjectNode pieceTokenizer() {
    ObjectNode json = begin();
    ArrayNode normalizers = sequence(json.putObject("normalizer"), "normalizers");
    if (file.isSet(PREFIX + "add_space_prefix").orElse(true)) {
      normalizers.addObject().put("type", "Prepend").put("prepend", SPACE);
    }
    replace(normalizers, " ", SPACE);
    json.putNull("pre_tokenizer");
    ObjectNode ends = ends(true);
    if (ends != null) {
      json.set("post_processor", ends);
    }
    ArrayNode decoders = sequence(json.putObject("decoder"), "decoders");
    replace(decoders, SPACE, " ");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    Map<String, Double> normal = new LinkedHashMap<>();
    for (int i = 0; i < tokens.size(); i++) {
      if (types.get(i) == NORMAL && !tokens.get(i).isEmpty()) {
        normal.put(tokens.get(i), scores.get(i));
      }
    }
    ObjectNode model =
        model(json, PieceMerges.of(normal)).put("fuse_unk", true).put("byte_fallback", true);
    token("unk").ifPresent(unknown -> model.put("unk_token", unknown));
    return json;
  }

  private ObjectNode begin() {
    ObjectNode json = JsonMapper.shared().createObjectNode();
    json.put("version", "1.0").putNull("truncation");
    json.putNull("padding");
    addedTokens(json.putArray("added_tokens"));
    return json;
  }

  private ObjectNode model(ObjectNode json, List<String> pairs) {
    ObjectNode model = json.putObject("model").put("type", "BPE");
    for (String none :
        List.of("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")) {
      model.putNull(none);
    }
    model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", false);
    ObjectNode vocabulary = model.putObject("vocab");
    for (int i = 0; i < tokens.size(); i++) {
      vocabulary.put(tokens.get(i), i);
    }
    ArrayNode merges = model.putArray("merges");
    pairs.forEach(merges::add);
    return model;
  }

  private static ArrayNode sequence(ObjectNode json, String steps) {
    return json.put("type", "Sequence").putArray(steps);
  }

  private static void replace(ArrayNode steps, String text, String content) {
    ObjectNode step = steps.addObject().put("type", "Replace");
    step.putObject("pattern").put("String", text);
    step.put("content", content);
  }

  private void addedTokens(ArrayNode added) {
    for (int i = 0; i < Math.min(tokens.size(), types.size()); i++) {
      if (types.get(i) == CONTROL || types.get(i) == USER_DEFINED) {
        added
            .addObject()
            .put("id", i)
            .put("content", tokens.get(i))
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", false)
            .put("special", types.get(i) == CONTROL);
      }
    }
  }

  /** Returns the step that adds tokens around a text; null if none are added. */
  private @Nullable ObjectNode ends(boolean addsBeginning) {
    boolean first = file.isSet(PREFIX + "add_bos_token").orElse(addsBeginning);
    boolean last = file.isSet(PREFIX + "add_eos_token").orElse(false);
    Optional<String> beginning = first ? token("bos") : Optional.empty();
    Optional<String> end = last ? token("eos") : Optional.empty();
    if (beginning.isEmpty() && end.isEmpty()) {
      return null;
    }
    ObjectNode json = JsonMapper.shared().createObjectNode().put("type", "TemplateProcessing");
    ArrayNode single = json.putArray("single");
    ArrayNode pair = json.putArray("pair");
    for (int i = 0; i < 2; i++) {
      for (ArrayNode template : i == 0 ? List.of(single, pair) : List.of(pair)) {
        int number = i;
        beginning.ifPresent(token -> part(template, "SpecialToken", token, number));
        part(template, "Sequence", i == 0 ? "A" : "B", i);
        end.ifPresent(token -> part(template, "SpecialToken", token, number));
      }
    }
    ObjectNode special = json.putObject("special_tokens");
    List<String> used = new ArrayList<>();
    beginning.ifPresent(used::add);
    end.ifPresent(used::add);
    for (String token : used) {
      ObjectNode entry = special.putObject(token).put("id", token);
      entry.putArray("ids").add(tokens.indexOf(token));
      entry.putArray("tokens").add(token);
    }
    return json;
  }

  private static void part(ArrayNode template, String kind, String id, int type) {
    template.addObject().putObject(kind).put("id", id).put("type_id", type);
  }

  private Optional<String> token(String role) {
    long id = file.integer("%s%s_token_id".formatted(PREFIX, ROLES.get(role))).orElse(-1);
    return id >= 0 && id < tokens.size() ? Optional.of(tokens.get((int) id)) : Optional.empty();
  }

  private ObjectNode config() {
    ObjectNode json = JsonMapper.shared().createObjectNode();
    json.put("tokenizer_class", "PreTrainedTokenizerFast");
    json.put("clean_up_tokenization_spaces", false);
    for (String role : ROLES.keySet().stream().sorted().toList()) {
      token(role).ifPresent(token -> json.put(role + "_token", token));
    }
    file.integer(file.text("general.architecture").orElse("") + ".context_length")
        .ifPresent(length -> json.put("model_max_length", length));
    file.text("tokenizer.chat_template").ifPresent(text -> json.put("chat_template", text));
    return json;
  }
}
