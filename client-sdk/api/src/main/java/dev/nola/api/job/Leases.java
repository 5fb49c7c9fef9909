package dev.nola.api.job;

import java.util.List;

/** The jobs that a worker was given; none if there were none within the time it would wait. */
public record Leases(List<Lease> leases) {
  /** Copies the list. */
  public Leases {
    leases = List.copyOf(leases);
  }
}
