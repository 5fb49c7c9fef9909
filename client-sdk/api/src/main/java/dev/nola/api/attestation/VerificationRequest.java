package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request to verify versions, again or for the first time; null accepts any. It has seven
 * components because JSON has them side by side.
 *
 * @param namespace namespace of the versions, or null
 * @param base name of their base model, or null
 * @param generator label of their generator, such as {@code philox-srht}, or null
 * @param backends backends to reconstruct them with; null for those used after publishing
 * @param copies number of verifications of each by different keys; null for the number used after
 *     publishing
 * @param adapter {@code namespace/name} of the versions, or null
 * @param version number of the version; only with {@code adapter}, or null
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record VerificationRequest(
    @Nullable String namespace,
    @Nullable String base,
    @Nullable String generator,
    @Nullable List<String> backends,
    @Nullable Integer copies,
    @Nullable String adapter,
    @Nullable String version) {}
