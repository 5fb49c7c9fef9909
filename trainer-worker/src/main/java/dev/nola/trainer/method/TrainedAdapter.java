package dev.nola.trainer.method;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Metadata;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** From what was trained to the adapter file, and back to weights. */
public final class TrainedAdapter {
  private TrainedAdapter() {}

  /**
   * The file of what was trained: coefficients quantized, other tensors whole. LoRA has no place in
   * an adapter file, so its weights become whole tensors, W + ΔW.
   *
   * @param name of the base model; empty if it has none
   * @param bits width of the codes
   * @param dense type of the tensors that are stored whole
   * @throws LimitExceededException if it cannot be reconstructed within the usual budget
   */
  public static AdapterFile toFile(
      dev.nola.trainer.model.BaseModel base,
      String name,
      List<Adaptation> adaptations,
      Recipe recipe,
      int bits,
      DType dense,
      Metadata metadata)
      throws LimitExceededException {
    Adapter.Builder adapter =
        Adapter.builder().generator(recipe.generator()).seed(recipe.seed()).metadata(metadata);
    List<String> adapted = new ArrayList<>();
    for (Adaptation adaptation : adaptations) {
      String stored = base.storedName(adaptation.tensor());
      switch (adaptation) {
        case NolaAdaptation nola -> {
          adapter.layer(nola.toLayer(stored, bits));
          adapted.add(adaptation.tensor());
        }
        case PrancAdaptation pranc -> {
          adapter.layer(pranc.toLayer(stored, bits));
          adapted.add(adaptation.tensor());
        }
        case LoraAdaptation lora -> adapter.dense(lora.toDense(base, stored, dense));
        case WholeTensor whole -> adapter.dense(whole.toDense(stored, dense));
        case StoredLayer _ -> throw new IllegalArgumentException("is of a file already");
      }
    }
    Sha256 identity = base.identity(adapted);
    adapter.base(new BaseModel(name, "", identity));
    return Reconstructor.standard().seal(adapter.build());
  }

  /**
   * The weights that a file stands for on a base, verified.
   *
   * @throws AdapterException if the file's bits are not its author's, or too many
   */
  public static List<Adaptation> ofFile(dev.nola.trainer.model.BaseModel base, AdapterFile file)
      throws AdapterException {
    Reconstructor reconstructor = Reconstructor.standard();
    reconstructor.verify(file);
    Function<Layer, Factors> factors = reconstructor.open(file.adapter());
    List<Adaptation> adaptations = new ArrayList<>();
    for (Layer layer : file.adapter().layers()) {
      adaptations.add(new StoredLayer(base.nameOf(layer.tensor()), factors.apply(layer)));
    }
    for (DenseTensor tensor : file.adapter().dense()) {
      adaptations.add(WholeTensor.of(base.nameOf(tensor.name()), tensor));
    }
    return adaptations;
  }
}
