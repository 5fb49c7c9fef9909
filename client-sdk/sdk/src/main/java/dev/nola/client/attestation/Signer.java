package dev.nola.client.attestation;

import dev.nola.digest.Sha256;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Who attests a match: a key on a host.
 *
 * @param key fingerprint of the key
 * @param worker name of the worker, as it states it
 * @param host digest that tells machines apart, as the worker states it
 * @param backends backends by which it attests the match, in alphabetical order
 */
public record Signer(Sha256 key, String worker, Sha256 host, List<String> backends) {
  private static final int SHOWN_DIGITS = 12;

  /** Copies the list. */
  public Signer {
    backends = List.copyOf(backends);
  }

  /**
   * Groups statements by key and host.
   *
   * @param matches statements of matches
   * @return the signers, by key and then by host
   */
  public static List<Signer> of(List<Attested.Holding> matches) {
    Map<List<Sha256>, TreeSet<String>> backends = new LinkedHashMap<>();
    Map<List<Sha256>, Signer> signers = new LinkedHashMap<>();
    for (Attested.Holding match : matches) {
      var reconstruction = match.statement().reconstruction();
      List<Sha256> both = List.of(match.key(), reconstruction.host());
      backends.computeIfAbsent(both, _ -> new TreeSet<>()).add(reconstruction.backend());
      signers.put(
          both,
          new Signer(
              match.key(),
              reconstruction.worker(),
              reconstruction.host(),
              List.copyOf(backends.get(both))));
    }
    return signers.values().stream()
        .sorted(Comparator.comparing(Signer::key).thenComparing(Signer::host))
        .toList();
  }

  /** Returns a host as people see it: enough of its digest to tell hosts apart. */
  static String shown(Sha256 host) {
    return host.hex().substring(0, SHOWN_DIGITS);
  }

  /** Returns one line: the key, the worker's name, its host and its backends. */
  @Override
  public String toString() {
    return "key %s, worker %s on host %s: %s"
        .formatted(key, worker, shown(host), String.join(", ", backends));
  }
}
