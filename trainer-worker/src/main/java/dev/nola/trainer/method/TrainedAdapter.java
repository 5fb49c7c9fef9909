package dev.nola.trainer.method;

import ai.djl.ndarray.types.Shape;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Metadata;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.trainer.model.Head;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Converts what was trained to an adapter file, and back to weights. */
public final class TrainedAdapter {
  private TrainedAdapter() {}

  /**
   * Makes the file of what was trained: coefficients quantized, other tensors whole. LoRA's factors
   * are coefficients of the identity basis.
   *
   * @param base the base model
   * @param name name of the base model for the file; empty if it has none
   * @param adaptations what was trained
   * @param recipe how it was trained
   * @param storage how the file stores it
   * @param metadata metadata of the file
   * @return the file, with the digest of its reconstruction
   * @throws LimitExceededException if it cannot be reconstructed within the usual budget
   */
  public static AdapterFile toFile(
      dev.nola.trainer.model.BaseModel base,
      String name,
      List<Adaptation> adaptations,
      Recipe recipe,
      Storage storage,
      Metadata metadata)
      throws LimitExceededException {
    Adapter.Builder adapter =
        Adapter.builder()
            .generator(recipe.bases().generator())
            .seed(recipe.bases().storedSeed())
            .metadata(metadata);
    List<String> adapted = new ArrayList<>();
    for (Adaptation adaptation : adaptations) {
      String stored = base.storedName(adaptation.tensor());
      switch (adaptation) {
        case LowRankAdaptation lowRank -> {
          adapter.layer(lowRank.toLayer(stored, storage.bits()));
          adapted.add(adaptation.tensor());
        }
        case DirectAdaptation direct -> {
          adapter.layer(direct.toLayer(stored, storage.bits()));
          adapted.add(adaptation.tensor());
        }
        case RunningTensor running ->
            adapter.dense(running.whole().toDense(stored, storage.denseType()));
        case WholeTensor whole -> adapter.dense(whole.toDense(stored, storage.denseType()));
        case StoredLayer _ ->
            throw new IllegalArgumentException(
                "tensor %s was read from a file, not trained".formatted(adaptation.tensor()));
      }
    }
    Sha256 identity = base.identity(adapted.stream().distinct().toList());
    adapter.base(new BaseModel(name, "", identity));
    return Reconstructor.standard().seal(adapter.build());
  }

  /**
   * Reconstructs and verifies the weights of a file.
   *
   * @param base the base model
   * @param file the file
   * @return the weights, of which nothing is trained
   * @throws AdapterException if the reconstruction has not the digest in the file, or exceeds the
   *     usual budget
   */
  public static List<Adaptation> ofFile(dev.nola.trainer.model.BaseModel base, AdapterFile file)
      throws AdapterException {
    List<Adaptation> adaptations = new ArrayList<>();
    for (Factors factors : Reconstructor.standard().verifiedFactors(file)) {
      adaptations.add(new StoredLayer(base.nameOf(factors.layer().tensor()), factors));
    }
    for (DenseTensor tensor : file.adapter().dense()) {
      adaptations.add(WholeTensor.of(base.nameOf(tensor.name()), tensor));
    }
    return adaptations;
  }

  /**
   * Checks that a pre-trained model has every tensor that an adapter changes: another one would
   * have no effect, and nobody would notice. Only the head may be new.
   *
   * @param base the base model
   * @param adapter the adapter
   * @throws MismatchedAdapterException if the base model lacks a tensor, or has it in another shape
   */
  public static void requireMatch(dev.nola.trainer.model.BaseModel base, Adapter adapter)
      throws MismatchedAdapterException {
    for (Layer layer : adapter.layers()) {
      requireMatch(base, layer.tensor(), layer.shape());
    }
    for (DenseTensor tensor : adapter.dense()) {
      if (!isOfHead(base, base.nameOf(tensor.name()))) {
        requireMatch(base, tensor.name(), tensor.shape());
      }
    }
  }

  private static boolean isOfHead(dev.nola.trainer.model.BaseModel base, String tensor) {
    Head head = base.network().head();
    return head != null && head.has(tensor);
  }

  private static void requireMatch(
      dev.nola.trainer.model.BaseModel base, String tensor, List<Integer> shape)
      throws MismatchedAdapterException {
    Shape stored = base.shape(base.nameOf(tensor));
    if (stored == null) {
      throw new MismatchedAdapterException(
          "adapter does not match the base model: tensor %s; the model must have it"
              .formatted(tensor));
    }
    long[] expected = stored.getShape();
    if (!Arrays.equals(expected, shape.stream().mapToLong(Integer::longValue).toArray())) {
      throw new MismatchedAdapterException(
          "adapter does not match the base model: tensor %s of shape %s; the model has %s"
              .formatted(tensor, shape, Arrays.toString(expected)));
    }
  }
}
