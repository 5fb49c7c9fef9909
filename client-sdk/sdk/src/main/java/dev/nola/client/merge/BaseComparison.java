package dev.nola.client.merge;

import dev.nola.client.merge.ModelMerge.BaseCheck;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.reconstruct.BaseIdentity;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;

/**
 * Compares a base model with those that adapters were made for.
 *
 * @param model the base model
 * @param names finds its tensors
 * @param threads number of threads that hash its tensors
 */
public record BaseComparison(Model model, TensorNames names, int threads) {
  /** Bytes that are read and hashed at a time. */
  private static final int PIECE = 1 << 20;

  /**
   * Compares the identities of the adapted tensors, which are read.
   *
   * @param adapters the adapters
   * @param baseCheck what to do if one was made for another base model
   * @return a warning for each adapter that could not be compared, or differs
   * @throws MergeRefusedException if they differ and that is not allowed, or the base model lacks
   *     an adapted tensor
   * @throws IOException if the base model cannot be read
   * @throws InterruptedException if the thread is interrupted
   */
  public List<String> check(List<AdapterFile> adapters, BaseCheck baseCheck)
      throws MergeRefusedException, IOException, InterruptedException {
    return check(adapters, baseCheck, Map.of());
  }

  /**
   * Compares the identities of the adapted tensors, and reads only those whose content is not known
   * yet.
   *
   * @param known digests of the content of tensors, by their names in the model
   */
  List<String> check(List<AdapterFile> adapters, BaseCheck baseCheck, Map<String, Sha256> known)
      throws MergeRefusedException, IOException, InterruptedException {
    if (baseCheck == BaseCheck.SKIP) {
      return List.of();
    }
    Map<Sha256, Sha256> actual = identities(adapters, known);
    List<String> warnings = new ArrayList<>();
    for (AdapterFile adapter : adapters) {
      var made = adapter.adapter().base();
      if (made.identity() == null) {
        if (!adapter.adapter().layers().isEmpty()) {
          warnings.add(
              "an adapter does not state the identity of its base model, so the base model was not"
                  + " checked");
        }
        continue;
      }
      Sha256 found = Objects.requireNonNull(actual.get(adapter.reconstructionDigest()));
      if (!found.equals(made.identity())) {
        String mismatch =
            "%s is not the base model that the adapter was made for%s: the adapted tensors have identity %s, expected %s"
                .formatted(
                    model.path(),
                    made.name().isEmpty() ? "" : " (" + made.name() + ")",
                    found,
                    made.identity());
        if (baseCheck == BaseCheck.REQUIRE) {
          throw new MergeRefusedException(MergeRefusedException.Reason.BASE, mismatch);
        }
        warnings.add(mismatch);
      }
    }
    return warnings;
  }

  /** Identities of the adapters' base tensors, by reconstruction digest of the adapter. */
  private Map<Sha256, Sha256> identities(List<AdapterFile> adapters, Map<String, Sha256> known)
      throws MergeRefusedException, IOException, InterruptedException {
    Map<String, Callable<BaseIdentity.Tensor>> tasks = new HashMap<>();
    for (AdapterFile adapter : adapters) {
      if (adapter.adapter().base().identity() != null) {
        for (String name : BaseIdentity.tensorNames(adapter.adapter())) {
          tasks.put(name, () -> identity(name, known));
        }
      }
    }
    Map<String, BaseIdentity.Tensor> tensors = new HashMap<>();
    try (Workers workers = new Workers(threads)) {
      for (BaseIdentity.Tensor tensor : workers.all(List.copyOf(tasks.values()))) {
        tensors.put(tensor.name(), tensor);
      }
    }
    Map<Sha256, Sha256> identities = new HashMap<>();
    for (AdapterFile adapter : adapters) {
      if (adapter.adapter().base().identity() != null) {
        identities.put(
            adapter.reconstructionDigest(),
            BaseIdentity.of(
                BaseIdentity.tensorNames(adapter.adapter()).stream().map(tensors::get).toList()));
      }
    }
    return identities;
  }

  private BaseIdentity.Tensor identity(String name, Map<String, Sha256> known) throws Exception {
    TensorNames.Found found = names.find(name);
    DType dtype = found == null ? null : found.tensor().adaptableType().orElse(null);
    if (found == null || dtype == null) {
      throw new MergeRefusedException(
          MergeRefusedException.Reason.TARGETS,
          "tensor %s not found in %s, or its type is not F32, F16 or BF16"
              .formatted(name, model.path()));
    }
    Tensor tensor = found.tensor();
    Sha256 content = known.get(tensor.name());
    return new BaseIdentity.Tensor(
        name,
        dtype,
        tensor.shape().stream().map(Math::toIntExact).toList(),
        content == null ? content(tensor) : content);
  }

  private Sha256 content(Tensor tensor) throws IOException {
    long bytes = tensor.data().byteSize();
    byte[] piece = new byte[(int) Math.min(PIECE, bytes)];
    MessageDigest content = Sha256.newMessageDigest();
    for (long offset = 0; offset < bytes; offset += piece.length) {
      int length = (int) Math.min(piece.length, bytes - offset);
      model.read(tensor.name(), offset, MemorySegment.ofArray(piece).asSlice(0, length));
      content.update(piece, 0, length);
    }
    return Sha256.finish(content);
  }
}
