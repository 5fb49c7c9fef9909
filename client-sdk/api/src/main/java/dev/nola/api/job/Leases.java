package dev.nola.api.job;

import java.util.List;

/**
 * The jobs leased to a worker.
 *
 * @param leases the jobs; empty if none came within the time that the worker would wait
 */
public record Leases(List<Lease> leases) {
  /** Copies the list. */
  public Leases {
    leases = List.copyOf(leases);
  }
}
