package dev.nola.registry.jobs;

import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Parameter;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Selects jobs for a page of a list, latest first.
 *
 * @param visible namespaces whose jobs the caller may see, or null for all
 * @param filter conditions of the caller
 * @param lastPosition position of the last job of the page before
 * @param limit maximum number of jobs
 */
public record JobQuery(
    @Nullable Collection<String> visible, Filter filter, long lastPosition, int limit) {

  /**
   * Conditions on jobs; null accepts any.
   *
   * @param state of the job
   * @param type of the job
   * @param namespace of the adapter
   * @param adapter of the job, {@code namespace/name}
   */
  public record Filter(
      @Nullable JobState state,
      @Nullable JobType type,
      @Nullable String namespace,
      @Parameter(description = "namespace/name") @Nullable String adapter) {

    /**
     * Requires that namespace and adapter are well-formed, and the adapter in the namespace if both
     * are set.
     *
     * @throws Refusal with status 422 if they are not
     */
    void requireConsistent() {
      if (namespace != null && !NameRule.NAMESPACE.isMet(namespace)) {
        throw Refusal.invalid("namespace", NameRule.NAMESPACE.message(namespace));
      }
      if (adapter == null) {
        return;
      }
      try {
        AdapterName.parse(adapter);
      } catch (IllegalArgumentException e) {
        throw Refusal.invalid("adapter", String.valueOf(e.getMessage()));
      }
      int slash = adapter.indexOf('/');
      if (namespace != null && !namespace.equals(adapter.substring(0, slash))) {
        throw Refusal.invalid(
            "adapter", "adapter %s is not in namespace %s".formatted(adapter, namespace));
      }
    }

    /** Returns the namespace that jobs must have, or null. */
    @Nullable String effectiveNamespace() {
      return adapter == null ? namespace : adapter.substring(0, adapter.indexOf('/'));
    }

    /** Returns the name that the adapters of jobs must have within their namespace, or null. */
    @Nullable String adapterName() {
      return adapter == null ? null : adapter.substring(adapter.indexOf('/') + 1);
    }
  }
}
