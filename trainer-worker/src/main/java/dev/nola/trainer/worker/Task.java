package dev.nola.trainer.worker;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.nola.api.attestation.Nonce;
import dev.nola.format.DType;
import org.jspecify.annotations.Nullable;

/** Work that a separate process does for a worker with the files of a {@link TaskFolder}. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "what")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Task.Train.class, name = "train"),
  @JsonSubTypes.Type(value = Task.Export.class, name = "export"),
  @JsonSubTypes.Type(value = Task.Verify.class, name = "verify")
})
@JsonInclude(JsonInclude.Include.NON_NULL)
sealed interface Task {
  /** A training, as its job file describes it. */
  record Train() implements Task {}

  /**
   * An export as a PEFT adapter.
   *
   * @param type element type of the factors, or null for the default
   * @param model whether the folder has a base model
   */
  record Export(@Nullable DType type, boolean model) implements Task {}

  /**
   * A verification.
   *
   * @param backend name of the backend to reconstruct with
   * @param nonce nonce that the attestation must prove to know
   * @param worker name of the worker
   * @param memoryBytes memory that the process may use, in bytes
   */
  record Verify(String backend, Nonce nonce, String worker, long memoryBytes) implements Task {}
}
