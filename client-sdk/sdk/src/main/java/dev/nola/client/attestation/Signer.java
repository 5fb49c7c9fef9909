package dev.nola.client.attestation;

import dev.nola.digest.Sha256;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Who attests a match: a key on a host.
 *
 * @param key fingerprint of the key
 * @param worker name of the worker, as it states it
 * @param host digest that identifies the machine, as the worker states it
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
    return matches.stream()
        .collect(
            Collectors.groupingBy(
                match -> List.of(match.key(), match.statement().reconstruction().host())))
        .values()
        .stream()
        .map(Signer::ofOne)
        .sorted(Comparator.comparing(Signer::key).thenComparing(Signer::host))
        .toList();
  }

  /** Makes the signer of matches with one key and host; the last one states the worker's name. */
  private static Signer ofOne(List<Attested.Holding> matches) {
    var last = matches.getLast().statement().reconstruction();
    List<String> backends =
        matches.stream()
            .map(match -> match.statement().reconstruction().backend())
            .distinct()
            .sorted()
            .toList();
    return new Signer(matches.getLast().key(), last.worker(), last.host(), backends);
  }

  /** Shortens the digest of a host for messages. */
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
