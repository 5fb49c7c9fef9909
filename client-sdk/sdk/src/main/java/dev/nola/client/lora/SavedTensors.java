package dev.nola.client.lora;

import dev.nola.client.merge.TensorNames;
import dev.nola.client.peft.FloatRounding;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns the tensors that PEFT stores whole into dense tensors, except those that equal the base
 * model's.
 */
final class SavedTensors {
  private final LoraConfig config;
  private final @Nullable NamedBase base;
  private final List<String> notes;
  private final List<String> warnings;
  private final List<String> wrong;
  private final List<DenseTensor> dense = new ArrayList<>();
  private final Map<String, Tensor> embedded = new LinkedHashMap<>();

  /**
   * @param base null if it is not known
   * @param notes receives what the user should know
   * @param warnings receives what differs from what PEFT does
   * @param wrong receives a sentence for each tensor that cannot be stored
   */
  SavedTensors(
      LoraConfig config,
      @Nullable NamedBase base,
      List<String> notes,
      List<String> warnings,
      List<String> wrong) {
    this.config = config;
    this.base = base;
    this.notes = notes;
    this.warnings = warnings;
    this.wrong = wrong;
  }

  /** Takes over the tensors of a file. */
  void add(LoraTensors tensors) {
    Map<String, List<LoraPair>> adapted = tensors.byModule();
    tensors
        .saved()
        .forEach(
            (path, tensor) -> {
              if (tensor.adaptableType().isEmpty()) {
                wrong.add(tensor + ": has an unsupported type; must be F32, F16 or BF16");
                return;
              }
              String module = ModulePaths.moduleOf(path);
              boolean isBaseLayer = ModulePaths.lastPart(module).equals(LoraTensors.BASE_LAYER);
              String name =
                  isBaseLayer
                      ? ModulePaths.moduleOf(module) + "." + ModulePaths.lastPart(path)
                      : path;
              TensorNames.Found found = base == null ? null : base.find(name, wrong);
              if (found != null && isSame(found.tensor(), tensor)) {
                notes.add(name + " is the base model's own and was left out");
              } else if (isBaseLayer
                  && name.endsWith(".weight")
                  && adapted.containsKey(ModulePaths.moduleOf(name))) {
                embedded.put(ModulePaths.moduleOf(name), tensor);
              } else {
                addDense(name, found, tensor);
                if (ModulePaths.isWordEmbedding(ModulePaths.moduleOf(name))) {
                  keepOutput(name, tensors);
                }
              }
            });
  }

  /**
   * Stores the output embedding that was tied to an input embedding of which PEFT trains a copy: it
   * keeps the old weights. An embedding that PEFT saves for another reason, such as a larger
   * vocabulary, stays tied.
   *
   * @param name of the input embedding
   */
  private void keepOutput(String name, LoraTensors tensors) {
    boolean hasOutput =
        tensors.saved().keySet().stream()
                .anyMatch(path -> ModulePaths.isOutputEmbedding(ModulePaths.moduleOf(path)))
            || tensors.pairs().stream()
                .anyMatch(pair -> ModulePaths.isOutputEmbedding(pair.module()));
    if (hasOutput || TaskType.FEATURE_EXTRACTION.name().equals(config.text("task_type"))) {
      return;
    }
    boolean isSeparate = config.separates(ModulePaths.moduleOf(name));
    if (base == null) {
      if (isSeparate) {
        warnings.add(
            name
                + ": if the base model ties its output embedding to this one, a merge changes both, but PEFT keeps the output embedding as it was; to keep it, import with nola import-peft --base");
      } else {
        notes.add(
            name
                + ": a merge changes the output embedding as well if the base model ties it to this one");
      }
      return;
    }
    Tensor tied = base.tiedEmbedding();
    if (tied == null) {
      return;
    }
    if (!isSeparate) {
      notes.add(name + ": a merge changes the output embedding as well, which is tied to it");
    } else if (tied.adaptableType().isEmpty()) {
      wrong.add(
          "%s: has an unsupported type; must be F32, F16 or BF16 to be kept as the output embedding, as PEFT does"
              .formatted(tied));
    } else {
      dense.add(
          new DenseTensor(
              NamedBase.OUTPUT,
              tied.adaptableType().orElseThrow(),
              shape(tied),
              copy(tied.data())));
      notes.add(
          "%s is stored with the base model's weights of %s, because PEFT trains the input embedding alone (modules_to_save)"
              .formatted(NamedBase.OUTPUT, tied.name()));
    }
  }

  /** Returns the weights of adapted modules that differ from the base's, by module. */
  Map<String, Tensor> embedded() {
    return embedded;
  }

  /** Returns the dense tensors. */
  List<DenseTensor> dense() {
    return dense;
  }

  private void addDense(String name, TensorNames.@Nullable Found found, Tensor tensor) {
    Elements.requireFinite(tensor, wrong);
    boolean isKnown = found != null && !found.untied();
    if (isKnown && !found.tensor().shape().equals(tensor.shape())) {
      notes.add(
          "%s replaces a tensor of shape %s by one of shape %s"
              .formatted(name, found.tensor().shape(), tensor.shape()));
    } else if (base != null && found == null) {
      notes.add(name + " is not in the base model and is added to it");
    }
    try {
      dense.add(
          new DenseTensor(
              isKnown ? found.tensor().name() : name,
              tensor.adaptableType().orElseThrow(),
              shape(tensor),
              copy(tensor.data())));
    } catch (IllegalArgumentException | ArithmeticException e) {
      wrong.add("%s: cannot be stored: %s".formatted(tensor.name(), e.getMessage()));
    }
  }

  /**
   * Adds ΔW to the weight that the file itself has of the module, and stores the sum whole.
   *
   * @param scaling multiplies lora_B·lora_A
   */
  void fold(LoraPair pair, Target target, double scaling) {
    Tensor weight = embedded.get(pair.module());
    int before = wrong.size();
    float[] a = Elements.read(pair.a(), wrong);
    float[] b = Elements.read(pair.b(), wrong);
    Elements.requireFinite(weight, wrong);
    if (wrong.size() > before) {
      return;
    }
    StoredProduct product = StoredProduct.of(pair, target, a, b).getFirst();
    DType dtype = weight.adaptableType().orElseThrow();
    int cols = product.cols();
    MemorySegment sum = Arena.ofAuto().allocate(weight.data().byteSize(), Float.BYTES);
    float[] row = new float[cols];
    long rowBytes = (long) cols * dtype.bytes();
    for (int i = 0; i < product.rows(); i++) {
      for (int j = 0; j < cols; j++) {
        double delta = 0;
        for (int t = 0; t < product.rank(); t++) {
          delta += product.a()[t][i] * product.b()[t][j];
        }
        float old = FloatRounding.decode(weight.data(), dtype, (long) i * cols + j);
        row[j] = FloatRounding.round((float) (old + scaling * delta), dtype);
        if (!Float.isFinite(row[j])) {
          wrong.add("%s: W + ΔW is too large for %s in row %d".formatted(weight.name(), dtype, i));
          return;
        }
      }
      FloatRounding.encode(row, dtype, sum.asSlice(i * rowBytes, rowBytes));
    }
    notes.add(
        target.tensor()
            + ": the file has the weights of this module, so it is stored whole, with ΔW added");
    dense.add(new DenseTensor(target.tensor(), dtype, shape(weight), sum));
  }

  private static boolean isSame(Tensor one, Tensor other) {
    return one.type().equals(other.type())
        && one.shape().equals(other.shape())
        && one.data().mismatch(other.data()) == -1;
  }

  private static List<Integer> shape(Tensor tensor) {
    return tensor.shape().stream().map(Math::toIntExact).toList();
  }

  /** Copies what must outlive the file. */
  private static MemorySegment copy(MemorySegment data) {
    return Arena.ofAuto().allocate(data.byteSize(), Float.BYTES).copyFrom(data);
  }
}
