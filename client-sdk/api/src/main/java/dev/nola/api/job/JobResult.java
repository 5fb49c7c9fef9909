package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.digest.Sha256;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What came of a job. The result of a training that could not be published is kept, and a retry
 * publishes it without training again.
 *
 * @param digest of the adapter file or of the exported archive; null of a verification
 * @param size of that file in bytes
 * @param outcome of a verification: {@code match}, {@code mismatch} or {@code unsupported}
 * @param metrics of an evaluation, by name
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record JobResult(
    @Nullable Sha256 digest,
    @Nullable Long size,
    @Nullable String outcome,
    @Nullable Map<String, Double> metrics) {}
