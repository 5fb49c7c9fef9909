package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The predicate of a statement: what a machine reconstructed, and how. It has ten components
 * because JSON has them side by side.
 *
 * @param outcome whether it got the digest that the file names
 * @param backend {@code scalar}, {@code vector} or {@code torch}
 * @param root reconstruction digest that the backend computed, 64 hexadecimal digits
 * @param leaves digests of the layers' and then the dense tensors' leaves in file order, 64
 *     hexadecimal digits each
 * @param nonce 64 hexadecimal digits, from the registry
 * @param proof SHA-256 over the nonce's 32 bytes and all factors as f32 in file order,
 *     little-endian (of each layer A, then B if it has one), 64 hexadecimal digits: cannot be
 *     computed without reconstructing
 * @param difference where a mismatch begins; null for a match, and for a mismatch that the scalar
 *     backend has too
 * @param worker name of the worker
 * @param host 64 hexadecimal digits that tell machines apart without naming them
 * @param environment {@code os}, {@code arch}, {@code cpu}, {@code java}, {@code nola} and {@code
 *     torch} where there is one, {@code device} ({@code cpu} or {@code cuda}), as free text
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Reconstruction(
    Outcome outcome,
    String backend,
    String root,
    List<String> leaves,
    String nonce,
    String proof,
    @Nullable Difference difference,
    String worker,
    String host,
    Map<String, String> environment) {
  /** Copies list and map. */
  public Reconstruction {
    leaves = List.copyOf(Objects.requireNonNull(leaves, "leaves is missing"));
    environment = Map.copyOf(Objects.requireNonNull(environment, "environment is missing"));
  }
}
