package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.digest.Sha256;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The result of a job. If a training could not be published its result is kept, and a retry
 * publishes it without training again.
 *
 * @param digest digest of the adapter file or the exported archive; null for a verification
 * @param size size of that file in bytes, or null
 * @param outcome outcome of a verification: {@code match}, {@code mismatch} or {@code unsupported};
 *     null for other jobs
 * @param metrics results of an evaluation by name, or null
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record JobResult(
    @Nullable Sha256 digest,
    @Nullable Long size,
    @Nullable String outcome,
    @Nullable Map<String, Double> metrics) {}
