package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.nola.api.InvalidValueException;
import dev.nola.api.Visibility;
import dev.nola.text.Label;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A request for a job. JSON has its type, and the job under the type's name.
 *
 * @param priority higher goes first; 0 if null
 * @param work the job itself
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonPropertyOrder({"type", "priority", "train", "verify", "export"})
public record JobRequest(@Nullable Integer priority, @JsonIgnore Work work) {
  /**
   * Checks that there is something to be done.
   *
   * @throws NullPointerException if there is not
   */
  public JobRequest {
    Objects.requireNonNull(work, "work is missing");
  }

  /** The work of a job: one record for each type. */
  public sealed interface Work permits Train, Verify, Export {
    /**
     * Returns the type that this is the work of.
     *
     * @return the type
     */
    JobType type();
  }

  /**
   * A request in the form of its JSON; read first and as a whole, so that an unknown property is
   * found before a missing one.
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private record Form(
      JobType type,
      @Nullable Integer priority,
      @Nullable Train train,
      @Nullable Verify verify,
      @Nullable Export export) {
    private Form {
      Objects.requireNonNull(type, "type is missing");
    }
  }

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  private static JobRequest of(Form form) {
    Work[] parts =
        Stream.of(form.train, form.verify, form.export)
            .filter(Objects::nonNull)
            .toArray(Work[]::new);
    if (parts.length != 1 || parts[0].type() != form.type) {
      throw new InvalidValueException(
          "type",
          "wrong members for type %s; must be exactly the member of the same name"
              .formatted(Label.of(form.type)));
    }
    return new JobRequest(form.priority, parts[0]);
  }

  /**
   * Returns the job's type.
   *
   * @return the type of the work
   */
  @JsonProperty("type")
  public JobType type() {
    return work.type();
  }

  @JsonProperty("train")
  private @Nullable Train train() {
    return work instanceof Train train ? train : null;
  }

  @JsonProperty("verify")
  private @Nullable Verify verify() {
    return work instanceof Verify verify ? verify : null;
  }

  @JsonProperty("export")
  private @Nullable Export export() {
    return work instanceof Export export ? export : null;
  }

  /**
   * An adapter to train. It has nine parts because JSON has them side by side.
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
   * @param memoryBytes it needs at most; null for the registry's default
   * @param timeoutSeconds it may take; null for the registry's default
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
      @Nullable Integer timeoutSeconds)
      implements Work {
    /**
     * Checks that what has to be there is.
     *
     * @throws NullPointerException if adapter, version, dataset or job is missing
     */
    public Train {
      Objects.requireNonNull(adapter, "adapter is missing");
      Objects.requireNonNull(version, "version is missing");
      Objects.requireNonNull(dataset, "dataset is missing");
      Objects.requireNonNull(job, "job is missing");
    }

    @Override
    public JobType type() {
      return JobType.TRAIN;
    }
  }

  /**
   * A version to verify.
   *
   * @param adapter {@code namespace/name}
   * @param version number of the version
   * @param backend {@code scalar}, {@code vector} or {@code torch}
   */
  public record Verify(String adapter, String version, String backend) implements Work {
    /**
     * Checks that all of it is there.
     *
     * @throws NullPointerException if a part is missing
     */
    public Verify {
      Objects.requireNonNull(adapter, "adapter is missing");
      Objects.requireNonNull(version, "version is missing");
      Objects.requireNonNull(backend, "backend is missing");
    }

    @Override
    public JobType type() {
      return JobType.VERIFY;
    }
  }

  /**
   * A version to turn into a PEFT adapter.
   *
   * @param adapter {@code namespace/name}
   * @param version number of the version
   * @param model registered base model, which some adapters need; null for none
   * @param elementType f16, bf16 or f32, of the factors; f16 if null
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Export(
      String adapter,
      String version,
      @Nullable String model,
      @JsonProperty("type") @Nullable String elementType)
      implements Work {
    /**
     * Checks that what has to be there is.
     *
     * @throws NullPointerException if adapter or version is missing
     */
    public Export {
      Objects.requireNonNull(adapter, "adapter is missing");
      Objects.requireNonNull(version, "version is missing");
    }

    @Override
    public JobType type() {
      return JobType.EXPORT;
    }
  }
}
