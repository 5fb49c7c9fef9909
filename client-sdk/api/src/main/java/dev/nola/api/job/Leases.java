package dev.nola.api.job;

import dev.nola.api.attestation.WorkerKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The jobs leased to a worker.
 *
 * @param leases the jobs; empty if none came within the time that the worker would wait
 * @param keyState state of the worker's key, or null if it is not registered
 */
public record Leases(List<Lease> leases, WorkerKey.@Nullable State keyState) {
  /** Copies the list. */
  public Leases {
    leases = List.copyOf(leases);
  }
}
