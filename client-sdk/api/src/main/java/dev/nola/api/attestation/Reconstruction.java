package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.digest.Sha256;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.annotation.JsonDeserialize;
import tools.jackson.databind.annotation.JsonSerialize;

/**
 * The predicate of a statement: what a machine reconstructed, and how. It has ten components
 * because JSON has them side by side; JSON has digests as 64 hexadecimal digits.
 *
 * @param outcome whether it got the digest that the file names
 * @param backend {@code scalar}, {@code vector}, {@code torch} or {@code cuda}
 * @param root reconstruction digest that the backend computed
 * @param leaves digests of the layers' and then the dense tensors' leaves in file order
 * @param nonce number used once, from the registry
 * @param proof SHA-256 over the nonce's 32 bytes and all factors as f32 in file order,
 *     little-endian (of each layer A, then B if it has one): cannot be computed without
 *     reconstructing
 * @param difference where a mismatch begins; null for a match, and for a mismatch that the scalar
 *     backend has too
 * @param worker name of the worker
 * @param host digest that identifies the machine without naming it
 * @param environment {@code os}, {@code arch}, {@code cpu}, {@code java}, {@code nola}, {@code
 *     device} ({@code cpu} or {@code cuda}), and by backend {@code torch}, or {@code gpu}, {@code
 *     driver} and {@code kernels} (the digest of their PTX), as free text
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Reconstruction(
    Outcome outcome,
    String backend,
    @JsonSerialize(using = HexDigest.Writer.class) @JsonDeserialize(using = HexDigest.Reader.class)
        Sha256 root,
    @JsonSerialize(contentUsing = HexDigest.Writer.class)
        @JsonDeserialize(contentUsing = HexDigest.Reader.class)
        List<Sha256> leaves,
    Nonce nonce,
    @JsonSerialize(using = HexDigest.Writer.class) @JsonDeserialize(using = HexDigest.Reader.class)
        Sha256 proof,
    @Nullable Difference difference,
    String worker,
    @JsonSerialize(using = HexDigest.Writer.class) @JsonDeserialize(using = HexDigest.Reader.class)
        Sha256 host,
    Map<String, String> environment) {
  /** Copies list and map. */
  public Reconstruction {
    leaves = List.copyOf(Objects.requireNonNull(leaves, "leaves is missing"));
    environment = Map.copyOf(Objects.requireNonNull(environment, "environment is missing"));
  }
}
