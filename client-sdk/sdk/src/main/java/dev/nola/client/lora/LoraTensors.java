package dev.nola.client.lora;

import dev.nola.client.lora.ImportRefusedException.Reason;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.Tensor;
import dev.nola.reconstruct.Budget;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tensors of a LoRA by what they are for. Every tensor of the file is in one of the two.
 *
 * @param pairs the factors, by module
 * @param saved tensors that are stored whole, by their path in the loaded model
 */
record LoraTensors(List<LoraPair> pairs, SequencedMap<String, Tensor> saved) {
  /** The part of a path that PEFT puts between a wrapped module and what it wraps. */
  static final String BASE_LAYER = "base_layer";

  private static final Pattern FACTOR =
      Pattern.compile(
          "(?<module>.+)\\.(?<factor>lora_(?:embedding_)?[AB])(?:\\.(?<adapter>[^.]+))??(?<leaf>\\.weight|\\.bias)?");

  /** The place of a factor. */
  private record Place(String module, int depth, boolean isEmbedding) {}

  /**
   * Sorts the tensors of a file.
   *
   * @throws ImportRefusedException naming each tensor that is not understood
   */
  static LoraTensors of(SafetensorsFile file, LoraConfig config) throws ImportRefusedException {
    List<String> wrong = new ArrayList<>();
    Set<String> adapters = new TreeSet<>();
    SequencedMap<Place, Tensor> a = new LinkedHashMap<>();
    SequencedMap<Place, Tensor> b = new LinkedHashMap<>();
    SequencedMap<String, Tensor> saved = new LinkedHashMap<>();
    for (Tensor tensor : file.tensors().values()) {
      String key = ModulePaths.unwrapped(tensor.name());
      Matcher factor = FACTOR.matcher(key);
      String refusal = refusal(key);
      if (!refusal.isEmpty()) {
        wrong.add(tensor.name() + ": " + refusal);
      } else if (key.chars().anyMatch(character -> character < ' ')) {
        wrong.add(tensor.name() + ": has a control character in its name");
      } else if (factor.matches()) {
        boolean isEmbedding = factor.group("factor").contains("embedding");
        if (!isEmbedding && factor.group("leaf") == null) {
          wrong.add(tensor.name() + ": is not understood");
          continue;
        }
        adapters.add(factor.group("adapter") == null ? "" : factor.group("adapter"));
        Place place = place(factor.group("module"), isEmbedding);
        if ((factor.group("factor").endsWith("A") ? a : b).put(place, tensor) != null) {
          wrong.add(tensor.name() + ": is the second factor of its kind for its module");
        }
      } else if (isSaved(key, config)) {
        if (saved.put(key, tensor) != null) {
          wrong.add(tensor.name() + ": is stored twice");
        }
      } else if (ModulePaths.lastPart(key).equals("bias")) {
        wrong.add(
            tensor
                + ": is a bias, and adapters change weights only; if its module is saved whole, name"
                + " it in modules_to_save");
      } else {
        wrong.add(tensor + ": is not understood");
      }
    }
    if (adapters.size() > 1) {
      wrong.add("it has tensors of several adapters, %s; save one".formatted(adapters));
    }
    List<LoraPair> pairs = new ArrayList<>();
    a.forEach((place, tensor) -> addPair(place, tensor, b.remove(place), pairs, wrong));
    b.values().forEach(tensor -> wrong.add(tensor.name() + ": has no lora_A beside it"));
    if (wrong.isEmpty() && pairs.isEmpty()) {
      wrong.add("it has no lora_A and lora_B");
    }
    if (!wrong.isEmpty()) {
      throw new ImportRefusedException(
          Reason.CONTENT, file.path() + ": cannot be imported as a LoRA", wrong);
    }
    return new LoraTensors(List.copyOf(pairs), saved);
  }

  /** Why a tensor of a variant of LoRA cannot be imported; empty if it is of none. */
  private static String refusal(String key) {
    String inner = "." + key + ".";
    if (inner.contains(".lora_magnitude_vector.")) {
      return "is a magnitude of DoRA, which no product of two factors expresses";
    }
    if (inner.contains(".trainable_tokens_delta.")) {
      return "has trained tokens, which replace single rows of an embedding";
    }
    if (inner.contains(".original_module.")) {
      return "is the base model's; save the adapter with save_pretrained";
    }
    if (inner.matches(".*\\.lora_[AB]\\.([^.]+\\.)?bias\\.")) {
      return "is a bias of a factor (lora_bias), and adapters change weights only";
    }
    return "";
  }

  private static Place place(String path, boolean isEmbedding) {
    String module = path;
    int depth = 0;
    while (module.endsWith("." + BASE_LAYER)) {
      module = module.substring(0, module.length() - BASE_LAYER.length() - 1);
      depth++;
    }
    return new Place(module.replace("." + BASE_LAYER + ".", "."), depth, isEmbedding);
  }

  private static void addPair(
      Place place, Tensor a, Tensor b, List<LoraPair> pairs, List<String> wrong) {
    if (b == null) {
      wrong.add(a.name() + ": has no lora_B beside it");
      return;
    }
    int before = wrong.size();
    for (Tensor tensor : List.of(a, b)) {
      if (tensor.adaptableType().isEmpty()) {
        wrong.add(tensor + ": has an unsupported type; must be F32, F16 or BF16");
      }
      if (tensor.elements() > Budget.MAX_ARRAY) {
        wrong.add(
            String.format(
                Locale.ROOT,
                "%s: has %,d elements; limit is %,d",
                tensor,
                tensor.elements(),
                Budget.MAX_ARRAY));
      }
      if (tensor.shape().size() < 2 || tensor.elements() == 0) {
        wrong.add(
            tensor
                + ": must have two dimensions or more and no empty one; shards of DeepSpeed or FSDP"
                + " must be gathered before the LoRA is saved");
      }
    }
    if (wrong.size() > before) {
      return;
    }
    if (a.shape().size() != b.shape().size()
        || !b.shape().subList(2, b.shape().size()).stream().allMatch(dim -> dim == 1)
        || place.isEmbedding && a.shape().size() > 2) {
      wrong.add(
          "%s and %s: shapes %s and %s are not those of a linear module, an embedding or a convolution"
              .formatted(a.name(), b.name(), a.shape(), b.shape()));
    } else if (!a.shape().getFirst().equals(b.shape().get(1))) {
      wrong.add(
          "%s and %s: shapes %s and %s contradict each other: the rank is %d and %d%s"
              .formatted(
                  a.name(),
                  b.name(),
                  a.shape(),
                  b.shape(),
                  a.shape().getFirst(),
                  b.shape().get(1),
                  a.shape().size() > 2
                      ? "; a LoRA of a convolution with groups cannot be merged"
                      : ""));
    } else {
      pairs.add(new LoraPair(place.module, place.depth, place.isEmbedding, a, b));
    }
  }

  /** Whether PEFT stores a tensor whole: of modules_to_save, or of an embedding. */
  private static boolean isSaved(String key, LoraConfig config) {
    String module = ModulePaths.moduleOf(key);
    String last = ModulePaths.lastPart(module);
    if (last.equals(BASE_LAYER)
        || ModulePaths.isWordEmbedding(module)
        || ModulePaths.isOutputEmbedding(module)) {
      return true;
    }
    List<String> kept = config.texts("modules_to_save");
    for (; !module.isEmpty(); module = ModulePaths.moduleOf(module)) {
      if (kept.stream().anyMatch(module::endsWith)) {
        return true;
      }
    }
    return false;
  }

  /** Returns the types of the factors. */
  Set<String> types() {
    Set<String> types = new TreeSet<>();
    pairs.forEach(
        pair -> {
          types.add(pair.a().type());
          types.add(pair.b().type());
        });
    return types;
  }

  /** Returns the modules that are adapted, each with its pairs from the outside to the inside. */
  Map<String, List<LoraPair>> byModule() {
    Map<String, List<LoraPair>> byModule = new LinkedHashMap<>();
    pairs.forEach(
        pair -> byModule.computeIfAbsent(pair.module(), key -> new ArrayList<>()).add(pair));
    byModule.values().forEach(list -> list.sort((x, y) -> Integer.compare(x.depth(), y.depth())));
    return byModule;
  }
}
