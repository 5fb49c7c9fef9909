/**
 * What to train, and how: a {@link dev.nola.trainer.job.TrainingJob}, read from a YAML file by
 * {@link dev.nola.trainer.job.JobFile}.
 */
@NullMarked
package dev.nola.trainer.job;

import org.jspecify.annotations.NullMarked;
