package dev.nola.api.attestation;

import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.ReconstructionDigest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A proof that its author reconstructed a file.
 *
 * @param digest the digest tree; its root is the file's if the bits match
 * @param proof SHA-256 over the nonce and all factors in file order, in {@link Reconstruction}'s
 *     form
 */
public record Proof(ReconstructionDigest digest, Sha256 proof) {
  private static final int CHUNK = 1 << 14;

  /**
   * Reconstructs a file, in one pass and on the caller's thread, one layer in memory at a time.
   *
   * @param file the adapter file
   * @param factors returns each layer's factors, in file order, such as {@link
   *     dev.nola.reconstruct.Reconstructor#open} or a backend on a GPU does
   * @param nonce number used once, from the registry
   * @return the proof
   */
  public static Proof of(AdapterFile file, Function<Layer, Factors> factors, Nonce nonce) {
    return Objects.requireNonNull(of(file, factors, List.of(nonce)).get(nonce));
  }

  /**
   * Reconstructs a file and makes proofs for several nonces, in one pass.
   *
   * @param file the adapter file
   * @param factors returns each layer's factors, in file order
   * @param nonces numbers used once, from the registry
   * @return the proofs, by nonce
   */
  public static Map<Nonce, Proof> of(
      AdapterFile file, Function<Layer, Factors> factors, Collection<Nonce> nonces) {
    Map<Nonce, MessageDigest> proofs = new LinkedHashMap<>();
    nonces.forEach(nonce -> proofs.put(nonce, begin(nonce)));
    List<Sha256> layers = new ArrayList<>();
    for (Layer layer : file.adapter().layers()) {
      Factors computed = factors.apply(layer);
      layers.add(ReconstructionDigest.leaf(computed));
      float[] b = computed.b();
      for (MessageDigest proof : proofs.values()) {
        update(proof, computed.a());
        if (b != null) {
          update(proof, b);
        }
      }
    }
    List<Sha256> dense = new ArrayList<>();
    for (DenseTensor tensor : file.adapter().dense()) {
      dense.add(ReconstructionDigest.leaf(tensor));
    }
    ReconstructionDigest digest = ReconstructionDigest.of(layers, dense);
    Map<Nonce, Proof> finished = new LinkedHashMap<>();
    proofs.forEach((nonce, proof) -> finished.put(nonce, new Proof(digest, Sha256.finish(proof))));
    return finished;
  }

  private static MessageDigest begin(Nonce nonce) {
    MessageDigest proof = Sha256.newMessageDigest();
    proof.update(nonce.toBytes());
    return proof;
  }

  /**
   * Lists the leaves in the order of {@link Reconstruction}.
   *
   * @return a digest for each layer and then each dense tensor, in file order
   */
  public List<Sha256> leaves() {
    return Stream.concat(digest.layers().stream(), digest.dense().stream()).toList();
  }

  private static void update(MessageDigest digest, float[] values) {
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int start = 0; start < values.length; ) {
      int count = Math.min(CHUNK, values.length - start);
      chunk.clear().asFloatBuffer().put(values, start, count);
      digest.update(chunk.limit(count * Float.BYTES));
      start += count;
    }
  }
}
