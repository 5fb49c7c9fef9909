package dev.nola.registry.jobs;

import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Selects jobs for a page of a list, latest first.
 *
 * @param visible namespaces whose jobs the caller may see, or null for all
 * @param filter conditions of the caller
 * @param before position of the last job of the page before
 * @param limit maximum number of jobs
 */
record JobQuery(@Nullable Collection<String> visible, Filter filter, long before, int limit) {

  /**
   * Conditions on jobs; null is no condition.
   *
   * @param state of the job
   * @param type of the job
   * @param namespace of the adapter
   * @param adapter name of the adapter within its namespace
   */
  record Filter(
      @Nullable JobState state,
      @Nullable JobType type,
      @Nullable String namespace,
      @Nullable String adapter) {}
}
