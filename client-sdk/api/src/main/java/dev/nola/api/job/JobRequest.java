package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.api.Visibility;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A job to be done. Exactly the part that its type names is there.
 *
 * @param priority higher goes first; 0 if null
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record JobRequest(
    JobType type,
    @Nullable Integer priority,
    @Nullable Train train,
    @Nullable Verify verify,
    @Nullable Export export) {
  /** Insists on a type. */
  public JobRequest {
    Objects.requireNonNull(type, "type is missing");
  }

  /**
   * An adapter to train.
   *
   * @param adapter {@code namespace/name} to publish it as
   * @param version to publish it as
   * @param visibility of the adapter, if it is new
   * @param model {@code namespace/name} of a registered model, or with {@code @sha256:…} of one of
   *     its revisions; null if {@code job} trains from scratch
   * @param dataset the same of a registered dataset
   * @param job as a job file has it (trainer-worker/README.md), without {@code model.base}; its
   *     data files are paths within the dataset
   * @param cuda whether it needs a GPU
   * @param memoryBytes it needs at most; null for what the registry grants by itself
   * @param timeoutSeconds it may take; null for what the registry grants by itself
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Train(
      String adapter,
      String version,
      @Nullable Visibility visibility,
      @Nullable String model,
      String dataset,
      Map<String, Object> job,
      @Nullable Boolean cuda,
      @Nullable Long memoryBytes,
      @Nullable Integer timeoutSeconds) {
    /** Insists on what has to be there. */
    public Train {
      Objects.requireNonNull(adapter, "adapter is missing");
      Objects.requireNonNull(version, "version is missing");
      Objects.requireNonNull(dataset, "dataset is missing");
      Objects.requireNonNull(job, "job is missing");
    }
  }

  /**
   * A version to verify.
   *
   * @param adapter {@code namespace/name}
   * @param version number of the version
   * @param backend {@code scalar}, {@code vector} or {@code torch}
   */
  public record Verify(String adapter, String version, String backend) {
    /** Insists on all of it. */
    public Verify {
      Objects.requireNonNull(adapter, "adapter is missing");
      Objects.requireNonNull(version, "version is missing");
      Objects.requireNonNull(backend, "backend is missing");
    }
  }

  /**
   * A version to turn into a PEFT adapter.
   *
   * @param adapter {@code namespace/name}
   * @param version number of the version
   * @param model registered base model, which some adapters need; null for none
   * @param type f16, bf16 or f32, of the factors; f16 if null
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Export(
      String adapter, String version, @Nullable String model, @Nullable String type) {
    /** Insists on what has to be there. */
    public Export {
      Objects.requireNonNull(adapter, "adapter is missing");
      Objects.requireNonNull(version, "version is missing");
    }
  }
}
