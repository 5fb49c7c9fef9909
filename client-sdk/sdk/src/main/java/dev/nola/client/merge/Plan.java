package dev.nola.client.merge;

import dev.nola.client.peft.ModulePaths;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of every tensor of the merged model, by file.
 *
 * @param dtype the type that floating tensors are converted to; null to keep theirs
 * @param untied whether input and output embedding are no longer tied
 * @param head head of the merged model, which determines the names of its tensors
 */
record Plan(
    SequencedMap<SafetensorsFile, List<Part>> files,
    @Nullable DType dtype,
    boolean untied,
    MergedHead head,
    List<String> warnings) {
  /** A tensor of the merged model. */
  sealed interface Part {
    Slot slot();

    /** Returns the same under another name. */
    Part named(String name);

    /** Returns how elements of the base are converted; null if they are not. */
    @Nullable FloatConversion conversion();

    /** A tensor of the base, unchanged except for its type. */
    record Copied(String name, Tensor tensor, @Nullable FloatConversion conversion)
        implements Part {
      @Override
      public Slot slot() {
        return Part.slot(name, tensor, conversion);
      }

      @Override
      public Part named(String name) {
        return new Copied(name, tensor, conversion);
      }
    }

    /** A tensor of an adapter, in place of the base's or beside it. */
    record Dense(String name, DenseTensor tensor, @Nullable FloatConversion conversion)
        implements Part {
      @Override
      public Slot slot() {
        DType type = conversion == null ? tensor.dtype() : conversion.target();
        return new Slot(
            name,
            type.name(),
            tensor.shape().stream().map(Integer::longValue).toList(),
            tensor.data().byteSize() / tensor.dtype().bytes() * type.bytes());
      }

      @Override
      public Part named(String name) {
        return new Dense(name, tensor, conversion);
      }
    }

    /** The base's tensor with what adapters add to it. */
    record Merged(
        String name,
        Tensor tensor,
        DType dtype,
        List<Addend> addends,
        @Nullable FloatConversion conversion)
        implements Part {
      @Override
      public Slot slot() {
        return Part.slot(name, tensor, conversion);
      }

      @Override
      public Part named(String name) {
        return new Merged(name, tensor, dtype, addends, conversion);
      }

      /**
       * Returns the type in which W + ΔW is rounded: the tensor's, or f32 if it is then rounded to
       * another one.
       */
      DType mergedType() {
        return conversion == null ? dtype : DType.F32;
      }
    }

    private static Slot slot(String name, Tensor tensor, @Nullable FloatConversion conversion) {
      return conversion == null
          ? new Slot(name, tensor.type(), tensor.shape(), tensor.data().byteSize())
          : new Slot(
              name,
              conversion.target().name(),
              tensor.shape(),
              tensor.elements() * conversion.target().bytes());
    }
  }

  /** A layer of the adapter with this number. */
  record Addend(int adapter, Layer layer) {}

  /**
   * Plans a merge.
   *
   * @param reshape whether a dense tensor may replace one of another shape, or one that is not F32,
   *     F16 or BF16
   * @param dtype the type that floating tensors are converted to; null to keep theirs
   * @param head head of the merged model, which determines the names of its tensors
   * @throws MergeRefusedException naming every adapted tensor that is missing or does not fit
   */
  static Plan of(
      Model base,
      List<AdapterFile> adapters,
      TensorNames names,
      boolean reshape,
      @Nullable DType dtype,
      MergedHead head)
      throws MergeRefusedException {
    return new Planning(base, names, reshape, dtype).plan(adapters, head);
  }

  /** Number of parts of a kind. */
  long count(Class<? extends Part> kind) {
    return files.values().stream().flatMap(List::stream).filter(kind::isInstance).count();
  }

  /** Number of tensors that are taken over, except for their type. */
  long converted() {
    return files.values().stream()
        .flatMap(List::stream)
        .filter(part -> part instanceof Part.Copied && part.conversion() != null)
        .count();
  }

  private static final class Planning {
    private final Model base;
    private final TensorNames names;
    private final boolean reshape;
    private final @Nullable DType dtype;
    private final Map<String, Part.Merged> merged = new HashMap<>();
    private final SequencedMap<String, Part> added = new LinkedHashMap<>();
    private final Map<String, Part.Dense> replaced = new HashMap<>();
    private final List<String> wrong = new ArrayList<>();
    private final List<String> reshaped = new ArrayList<>();
    private final Set<String> resized = new TreeSet<>();
    private final Set<String> changedInputs = new TreeSet<>();
    private boolean separated;
    private boolean changesOutput;

    Planning(Model base, TensorNames names, boolean reshape, @Nullable DType dtype) {
      this.base = base;
      this.names = names;
      this.reshape = reshape;
      this.dtype = dtype;
    }

    Plan plan(List<AdapterFile> adapters, MergedHead head) throws MergeRefusedException {
      List<String> warnings = new ArrayList<>();
      for (int i = 0; i < adapters.size(); i++) {
        for (Layer layer : adapters.get(i).adapter().layers()) {
          adapt(i, layer);
        }
      }
      for (AdapterFile adapter : adapters) {
        adapter.adapter().dense().forEach(this::replace);
      }
      if (!wrong.isEmpty()) {
        throw new MergeRefusedException(
            MergeRefusedException.Reason.TARGETS,
            "%s: %d of the adapted tensors do not match the base model"
                .formatted(base.path(), wrong.size()),
            wrong);
      }
      if (!reshaped.isEmpty() && !reshape) {
        throw new MergeRefusedException(
            MergeRefusedException.Reason.RESHAPE,
            "%s: %d of its tensors would be replaced by tensors of another shape or type"
                .formatted(base.path(), reshaped.size()),
            reshaped);
      }
      addTieWarnings(head, warnings);
      resized.addAll(added.sequencedKeySet());
      head.warning(base, resized).ifPresent(warnings::add);
      SequencedMap<SafetensorsFile, List<Part>> files = new LinkedHashMap<>();
      for (SafetensorsFile file : base.files()) {
        files.put(file, new ArrayList<>(base.tensors(file).stream().map(this::part).toList()));
      }
      files.lastEntry().getValue().addAll(added.values());
      if (head.isStated()) {
        files.replaceAll((_, parts) -> named(parts, head, warnings));
      }
      addTypeWarnings(files, warnings);
      boolean untied = separated || changesOutput && names.tie().isPossible();
      return new Plan(files, dtype, untied, head, warnings);
    }

    private static List<Part> named(List<Part> parts, MergedHead head, List<String> warnings) {
      List<Part> named = new ArrayList<>();
      for (Part part : parts) {
        String name = part.slot().name();
        head.name(name)
            .ifPresentOrElse(
                newName -> named.add(part.named(newName)),
                () ->
                    warnings.add(
                        "%s left out: %s has no such tensor".formatted(name, head.className())));
      }
      return named;
    }

    private void addTieWarnings(MergedHead head, List<String> warnings) {
      if (separated || changesOutput && names.tie().isCertain()) {
        warnings.add(
            "the output embedding was tied to the input embedding and now has weights of its own");
      }
      boolean isTied = names.tie().isCertain();
      if (!changesOutput && !head.isStated() && names.sharesEmbedding()) {
        for (String input : changedInputs) {
          warnings.add(
              "%s: the output embedding %s tied to this input embedding, so it changes as well; to keep it, untie the two in the base model first"
                  .formatted(input, isTied ? "is" : "may be"));
        }
      }
    }

    private void addTypeWarnings(Map<SafetensorsFile, List<Part>> files, List<String> warnings) {
      if (dtype == null) {
        return;
      }
      Map<String, Integer> kept = new TreeMap<>();
      for (Part part : files.values().stream().flatMap(List::stream).toList()) {
        if (part.slot().type().startsWith("F8") || part.slot().type().startsWith("F4")) {
          kept.merge(part.slot().type(), 1, Integer::sum);
        }
      }
      kept.forEach(
          (type, count) ->
              warnings.add(
                  "tensors of type %s were not converted: %d; dequantize the base model first"
                      .formatted(type, count)));
    }

    /** How elements of a type become those of the merged model; null if they stay as they are. */
    private @Nullable FloatConversion conversion(String type) {
      return dtype == null || type.equals(dtype.name()) || !FloatConversion.isFloating(type)
          ? null
          : new FloatConversion(type, dtype);
    }

    /** Converts to the type of the tensor that is replaced, unless all tensors get another one. */
    private @Nullable FloatConversion conversion(DenseTensor dense, @Nullable Tensor old) {
      DType type = old == null ? null : old.adaptableType().orElse(null);
      return dtype != null || type == null || type == dense.dtype()
          ? conversion(dense.dtype().name())
          : new FloatConversion(dense.dtype().name(), type);
    }

    private void noteEmbedding(String name) {
      String module = ModulePaths.unwrapped(ModulePaths.moduleOf(name));
      changesOutput |= ModulePaths.isOutputEmbedding(module);
      if (ModulePaths.isWordEmbedding(module)) {
        changedInputs.add(name);
      }
    }

    private Part part(Tensor tensor) {
      Part.Merged sum = merged.get(tensor.name());
      Part.Dense dense = replaced.get(tensor.name());
      return sum != null
          ? sum
          : dense != null
              ? dense
              : new Part.Copied(tensor.name(), tensor, conversion(tensor.type()));
    }

    private TensorNames.@Nullable Found find(String name) {
      try {
        return names.find(name);
      } catch (TensorNames.AmbiguousNameException e) {
        wrong.add(e.getMessage());
        return null;
      }
    }

    private void adapt(int adapter, Layer layer) {
      int before = wrong.size();
      TensorNames.Found found = find(layer.tensor());
      if (found == null) {
        if (wrong.size() == before) {
          wrong.add(
              "%s %s: the base model has no such tensor%s"
                  .formatted(
                      layer.tensor(),
                      layer.shape(),
                      names.suggestion(
                          layer.tensor(),
                          layer.shape().stream().map(Integer::longValue).toList())));
        }
        return;
      }
      Tensor tensor = found.tensor();
      if (!tensor.shape().equals(layer.shape().stream().map(Integer::longValue).toList())) {
        wrong.add(
            "%s %s: tensor %s of the base model has shape %s"
                .formatted(layer.tensor(), layer.shape(), tensor.name(), tensor.shape()));
        return;
      }
      DType type = tensor.adaptableType().orElse(null);
      if (type == null) {
        wrong.add(
            "%s: tensor %s of the base model has type %s; must be F32, F16 or BF16"
                .formatted(layer.tensor(), tensor.name(), tensor.type()));
        return;
      }
      separated |= found.untied();
      String name = found.untied() ? layer.tensor() : tensor.name();
      noteEmbedding(name);
      Part.Merged part =
          merged.computeIfAbsent(
              name,
              key ->
                  new Part.Merged(key, tensor, type, new ArrayList<>(), conversion(tensor.type())));
      part.addends.add(new Addend(adapter, layer));
      if (found.untied()) {
        added.put(name, part);
      }
    }

    private void replace(DenseTensor dense) {
      TensorNames.Found found = find(dense.name());
      boolean own = found == null || found.untied();
      String name = own ? dense.name() : found.tensor().name();
      Part.Dense part = new Part.Dense(name, dense, conversion(dense, own ? null : found.tensor()));
      noteEmbedding(name);
      if (merged.containsKey(name)) {
        wrong.add(name + ": one adapter replaces it and another adapts it");
      } else if (own ? added.put(name, part) != null : replaced.put(name, part) != null) {
        wrong.add(name + ": two adapters replace it");
      } else if (!own) {
        compare(dense, found.tensor());
      }
      separated |= found != null && found.untied();
    }

    private void compare(DenseTensor replacement, Tensor tensor) {
      List<Long> shape = replacement.shape().stream().map(Integer::longValue).toList();
      if (tensor.adaptableType().isEmpty() || !shape.equals(tensor.shape())) {
        resized.add(tensor.name());
        reshaped.add(
            "%s: %s %s in the adapter, %s %s in the base model"
                .formatted(
                    tensor.name(), replacement.dtype(), shape, tensor.type(), tensor.shape()));
      }
    }
  }
}
