package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which versions to verify, again or for the first time; null is no condition.
 *
 * @param namespace whose versions
 * @param base name of their base model
 * @param generator such as {@code philox-srht}
 * @param backends to reconstruct them by; those that the registry has after publishing if null
 * @param copies of each, by different keys; as many as the registry has after publishing if null
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record VerificationRequest(
    @Nullable String namespace,
    @Nullable String base,
    @Nullable String generator,
    @Nullable List<String> backends,
    @Nullable Integer copies) {}
