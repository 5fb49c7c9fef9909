package dev.nola.client.export.peft;

import dev.nola.client.export.ExportFormat;
import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.export.ExportSource;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.LoraModule;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.PeftFiles;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.peft.TaskType;
import dev.nola.format.Adapter;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder of PEFT, which Transformers, vLLM and others load as well.
 *
 * <p>Modules of smaller ranks than the largest have theirs by {@code rank_pattern}; for vLLM, which
 * has no such patterns, their factors are padded with zeros instead. Refused are embeddings, except
 * input embeddings of a base model that ties no output embedding to them. A dense tensor makes PEFT
 * keep its module whole ({@code modules_to_save}); what else the module has, a bias say, is taken
 * from the base model, without which PEFT cannot load such modules.
 */
public final class PeftFormat implements ExportFormat {
  /** What PEFT itself loads. */
  public static final PeftFormat STANDARD = new PeftFormat(false);

  /**
   * What vLLM loads as well, which requires a base model's name and no dense tensors but those of a
   * classifier.
   */
  public static final PeftFormat FOR_VLLM = new PeftFormat(true);

  /** The file with the factors. */
  public static final String WEIGHTS = PeftFiles.WEIGHTS;

  /** The warning that {@link LoraExport.Builder#baseName} would avoid. */
  public static final String NO_NAME =
      "the name of the base model is not known, so the LoRA states none, and classes such as"
          + " AutoPeftModelForCausalLM cannot find it";

  private final boolean forVllm;

  private PeftFormat(boolean forVllm) {
    this.forVllm = forVllm;
  }

  @Override
  public String title() {
    return "PEFT LoRA";
  }

  @Override
  public @Nullable TaskType task(
      Adapter adapter, @Nullable TaskType requested, List<String> warnings)
      throws ExportRefusedException {
    if (forVllm) {
      requireVllm(adapter);
    }
    StatedHead head = StatedHead.of(adapter);
    if (head.problem() != null) {
      throw new ExportRefusedException(
          Reason.HEAD, "the adapter cannot be exported as a PEFT LoRA: " + head.problem());
    }
    return StatedTask.of(requested, adapter, head, warnings);
  }

  @Override
  public void check(ExportSource source, List<String> wrong) throws IOException {
    Adapter adapter = source.adapter();
    if (source.mayTieEmbeddings()) {
      requireNoEmbedding(adapter, source.base() == null, wrong);
    }
    for (DenseTensor tensor : adapter.dense()) {
      if (ModulePaths.moduleOf(tensor.name()).isEmpty()) {
        wrong.add(
            tensor.name()
                + ": belongs to no module; PEFT can replace whole modules only, not single tensors");
      }
    }
  }

  @Override
  public PeftLayout layout(ExportSource source, ExportPlan plan, Findings findings)
      throws ExportRefusedException {
    List<DenseTensor> dense = source.adapter().dense();
    SavedModules saved = SavedModules.of(dense, source.paths(), source.task(), source.base());
    Set<String> adapted =
        plan.modules().stream()
            .map(LoraModule::path)
            .collect(Collectors.toCollection(LinkedHashSet::new));
    saved.requireApart(adapted, findings.wrong());
    if (source.base() == null && !dense.isEmpty()) {
      findings
          .warnings()
          .add(
              "PEFT loads a module that is stored whole only with all of its parameters, which were"
                  + " not compared: "
                  + LoraExport.NO_BASE);
    }
    if (source.name().name() == null) {
      if (forVllm) {
        throw new ExportRefusedException(
            Reason.VLLM,
            "vLLM needs the name of the base model, which neither adapter nor base model states");
      }
      findings.warnings().add(NO_NAME);
    }
    return new PeftLayout(source, forVllm ? plan.uniform() : plan, saved);
  }

  /** Refuses input embeddings, which PEFT changes apart from an output embedding tied to them. */
  private static void requireNoEmbedding(Adapter adapter, boolean isUnknown, List<String> wrong) {
    Stream.concat(
            adapter.layers().stream().map(Layer::tensor),
            adapter.dense().stream().map(DenseTensor::name))
        .filter(name -> ModulePaths.isWordEmbedding(ModulePaths.moduleOf(name)))
        .distinct()
        .forEach(
            name ->
                wrong.add(
                    name
                        + ": is an embedding; PEFT would leave an output embedding that is tied to it unchanged"
                        + (isUnknown
                            ? "; if the base model ties none, " + LoraExport.NAME_BASE
                            : "")));
  }

  private static void requireVllm(Adapter adapter) throws ExportRefusedException {
    List<String> embeddings =
        adapter.layers().stream()
            .map(Layer::tensor)
            .filter(name -> ModulePaths.isWordEmbedding(ModulePaths.moduleOf(name)))
            .toList();
    if (!embeddings.isEmpty()) {
      throw new ExportRefusedException(
          Reason.VLLM, "vLLM takes no LoRA of an embedding", embeddings);
    }
    List<String> others =
        adapter.dense().stream()
            .filter(tensor -> TaskType.SEQ_CLS.headOf(tensor.name()).isEmpty())
            .map(Object::toString)
            .toList();
    if (!others.isEmpty()) {
      throw new ExportRefusedException(
          Reason.VLLM,
          "vLLM replaces only modules named %s whole, but the adapter replaces other tensors"
              .formatted(String.join(" or ", TaskType.SEQ_CLS.heads())),
          others);
    }
  }
}
