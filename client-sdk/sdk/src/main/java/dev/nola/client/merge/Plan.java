package dev.nola.client.merge;

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
import org.jspecify.annotations.Nullable;

/** What becomes of every tensor of the merged model, by file. */
record Plan(
    SequencedMap<SafetensorsFile, List<Part>> files,
    boolean untied,
    MergedHead head,
    List<String> warnings) {
  /** A tensor of the merged model. */
  sealed interface Part {
    Slot slot();

    /** Returns the same under another name. */
    Part named(String name);

    /** A tensor of the base, unchanged. */
    record Copied(String name, Tensor tensor) implements Part {
      @Override
      public Slot slot() {
        return new Slot(name, tensor.type(), tensor.shape(), tensor.data().byteSize());
      }

      @Override
      public Part named(String name) {
        return new Copied(name, tensor);
      }
    }

    /** A tensor of an adapter, in place of the base's or beside it. */
    record Dense(String name, DenseTensor tensor) implements Part {
      @Override
      public Slot slot() {
        return new Slot(
            name,
            tensor.dtype().name(),
            tensor.shape().stream().map(Integer::longValue).toList(),
            tensor.data().byteSize());
      }

      @Override
      public Part named(String name) {
        return new Dense(name, tensor);
      }
    }

    /** The base's tensor with what adapters add to it. */
    record Merged(String name, Tensor tensor, DType dtype, List<Addend> addends) implements Part {
      @Override
      public Slot slot() {
        return new Slot(name, tensor.type(), tensor.shape(), tensor.data().byteSize());
      }

      @Override
      public Part named(String name) {
        return new Merged(name, tensor, dtype, addends);
      }
    }
  }

  /** A layer of the adapter with this number. */
  record Addend(int adapter, Layer layer) {}

  /**
   * Plans a merge.
   *
   * @param reshape whether a dense tensor may replace a tensor of another shape or type
   * @param head head of the merged model, which determines the names of its tensors
   * @throws MergeRefusedException naming every adapted tensor that is missing or does not fit
   */
  static Plan of(
      Model base, List<AdapterFile> adapters, TensorNames names, boolean reshape, MergedHead head)
      throws MergeRefusedException {
    return new Planning(base, names, reshape).plan(adapters, head);
  }

  /** Number of parts of a kind. */
  long count(Class<? extends Part> kind) {
    return files.values().stream().flatMap(List::stream).filter(kind::isInstance).count();
  }

  private static final class Planning {
    private final Model base;
    private final TensorNames names;
    private final boolean reshape;
    private final Map<String, Part.Merged> merged = new HashMap<>();
    private final SequencedMap<String, Part> added = new LinkedHashMap<>();
    private final Map<String, Part.Dense> replaced = new HashMap<>();
    private final List<String> wrong = new ArrayList<>();
    private final List<String> reshaped = new ArrayList<>();
    private boolean untied;

    Planning(Model base, TensorNames names, boolean reshape) {
      this.base = base;
      this.names = names;
      this.reshape = reshape;
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
      if (untied) {
        warnings.add(
            "the output embedding was tied to the input embedding and now has weights of its own");
      }
      SequencedMap<SafetensorsFile, List<Part>> files = new LinkedHashMap<>();
      for (SafetensorsFile file : base.files()) {
        files.put(file, new ArrayList<>(file.tensors().values().stream().map(this::part).toList()));
      }
      files.lastEntry().getValue().addAll(added.values());
      if (head.isStated()) {
        files.replaceAll((_, parts) -> named(parts, head, warnings));
      }
      return new Plan(files, untied, head, warnings);
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

    private Part part(Tensor tensor) {
      Part.Merged sum = merged.get(tensor.name());
      Part.Dense dense = replaced.get(tensor.name());
      return sum != null ? sum : dense != null ? dense : new Part.Copied(tensor.name(), tensor);
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
              "%s %s: the base model has no such tensor".formatted(layer.tensor(), layer.shape()));
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
      DType dtype = tensor.adaptableType().orElse(null);
      if (dtype == null) {
        wrong.add(
            "%s: tensor %s of the base model has type %s; must be F32, F16 or BF16"
                .formatted(layer.tensor(), tensor.name(), tensor.type()));
        return;
      }
      untied |= found.untied();
      String name = found.untied() ? layer.tensor() : tensor.name();
      Part.Merged part =
          merged.computeIfAbsent(
              name, key -> new Part.Merged(key, tensor, dtype, new ArrayList<>()));
      part.addends.add(new Addend(adapter, layer));
      if (found.untied()) {
        added.put(name, part);
      }
    }

    private void replace(DenseTensor dense) {
      TensorNames.Found found = find(dense.name());
      boolean own = found == null || found.untied();
      String name = own ? dense.name() : found.tensor().name();
      Part.Dense part = new Part.Dense(name, dense);
      if (merged.containsKey(name)) {
        wrong.add(name + ": one adapter replaces it and another adapts it");
      } else if (own ? added.put(name, part) != null : replaced.put(name, part) != null) {
        wrong.add(name + ": two adapters replace it");
      } else if (!own) {
        compare(part.slot(), found.tensor());
      }
      untied |= found != null && found.untied();
    }

    private void compare(Slot replacement, Tensor tensor) {
      if (!replacement.type().equals(tensor.type())
          || !replacement.shape().equals(tensor.shape())) {
        reshaped.add(
            "%s: %s %s in the adapter, %s %s in the base model"
                .formatted(
                    tensor.name(),
                    replacement.type(),
                    replacement.shape(),
                    tensor.type(),
                    tensor.shape()));
      }
    }
  }
}
