package dev.nola.trainer.worker;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/** A message of a task to its worker: one JSON object per line, on standard output. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = TaskEvent.PROPERTY)
@JsonSubTypes({
  @JsonSubTypes.Type(value = TaskEvent.Step.class, name = "step"),
  @JsonSubTypes.Type(value = TaskEvent.Evaluated.class, name = "evaluated"),
  @JsonSubTypes.Type(value = TaskEvent.CheckpointWritten.class, name = "checkpoint"),
  @JsonSubTypes.Type(value = TaskEvent.Log.class, name = "log"),
  @JsonSubTypes.Type(value = TaskEvent.Failed.class, name = "failed")
})
sealed interface TaskEvent {
  /** The property that every event begins with. */
  String PROPERTY = "event";

  /**
   * A step of a training was taken.
   *
   * @param step number of the step, from 1
   * @param steps number of all steps
   * @param loss loss of the step's batch
   */
  record Step(long step, long steps, double loss) implements TaskEvent {}

  /**
   * A training was evaluated.
   *
   * @param step number of steps taken
   * @param loss loss on the validation examples
   * @param accuracy share of the validation examples that were right
   */
  record Evaluated(long step, double loss, double accuracy) implements TaskEvent {}

  /**
   * A checkpoint was written.
   *
   * @param step number of steps taken
   */
  record CheckpointWritten(long step) implements TaskEvent {}

  /**
   * A line for those who follow the job.
   *
   * @param line the line
   */
  record Log(String line) implements TaskEvent {}

  /**
   * The task failed; the last event.
   *
   * @param reason a sentence for whoever asked for the job
   * @param retryable whether another try may succeed
   * @param unsupported whether this version of nola cannot reconstruct the file
   */
  record Failed(String reason, boolean retryable, boolean unsupported) implements TaskEvent {}
}
