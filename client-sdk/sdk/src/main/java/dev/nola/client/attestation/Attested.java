package dev.nola.client.attestation;

import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.name.Reference;
import dev.nola.client.RegistryException;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.LimitExceededException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What workers attest about a file, checked on this machine: signatures, what the statements are
 * about, and their proofs, by reconstructing the file.
 *
 * <p>That a key is a trusted worker's is the registry's word, unless fingerprints are pinned: then
 * only these count, whatever the registry says. That a key was revoked is always its word.
 *
 * @param matches that hold, and say that the file reconstructs to the digest it names
 * @param mismatches that hold, and say that it does not
 * @param rejected attestations that do not count
 * @param pinned whether only given keys count
 */
public record Attested(
    List<Holding> matches, List<Holding> mismatches, List<Rejected> rejected, boolean pinned) {
  /** Copies the lists. */
  public Attested {
    matches = List.copyOf(matches);
    mismatches = List.copyOf(mismatches);
    rejected = List.copyOf(rejected);
  }

  /**
   * An attestation that holds.
   *
   * @param key fingerprint of the key that signed it
   * @param statement the signed statement
   */
  public record Holding(Sha256 key, Statement statement) {}

  /**
   * An attestation that does not count.
   *
   * @param id that the registry gave it
   * @param key that it names
   * @param reason with the value and the rule
   * @param alarming whether that should not happen: it is forged, altered or copied, or a pinned
   *     key was revoked; a registry that takes attestations in checks all that
   */
  public record Rejected(long id, Sha256 key, String reason, boolean alarming) {
    @Override
    public String toString() {
      return "attestation %d by %s: %s".formatted(id, key, reason);
    }
  }

  /**
   * Fetches and checks what workers attest about a file that was pulled.
   *
   * @param client the registry client
   * @param reference of the file, by version number or digest
   * @param digest of the file
   * @param file the pulled file
   * @param pinned fingerprints of the keys that count; if empty, those that the registry trusts
   * @return the checked attestations
   * @throws LimitExceededException if the file is more than is reconstructed
   * @throws RegistryException if the registry does not tell
   */
  public static Attested fetch(
      NolaClient client,
      Reference reference,
      Sha256 digest,
      AdapterFile file,
      Collection<Sha256> pinned)
      throws IOException, InterruptedException {
    RegistryAttestations fetched = RegistryAttestations.fetch(client, reference);
    return of(digest, file, fetched.attestations(), fetched.keys().values(), pinned);
  }

  /**
   * Checks attestations from outside a Nola registry.
   *
   * @param digest of the file
   * @param file the adapter
   * @param envelopes the attestations to check; their numbers in messages count from 1
   * @param pinned fingerprints of the keys that count, at least one
   * @return the checked attestations
   * @throws IllegalArgumentException if {@code pinned} is empty
   * @throws LimitExceededException if the file is more than is reconstructed
   */
  public static Attested ofEnvelopes(
      Sha256 digest, AdapterFile file, List<SignedEnvelope> envelopes, Collection<Sha256> pinned)
      throws LimitExceededException {
    if (pinned.isEmpty()) {
      throw new IllegalArgumentException(
          "no keys to check attestations with; must be at least one");
    }
    AttestationCheck check = new AttestationCheck(digest, file, pinned);
    for (int i = 0; i < envelopes.size(); i++) {
      check.add(i + 1, envelopes.get(i));
    }
    return check.prove();
  }

  /**
   * Checks attestations.
   *
   * @param digest of the file
   * @param file the adapter
   * @param attestations the attestations to check
   * @param keys that the registry has, as it says
   * @param pinned fingerprints of the keys that count; if empty, those that the registry trusts
   * @return the checked attestations
   * @throws LimitExceededException if the file is more than is reconstructed
   */
  public static Attested of(
      Sha256 digest,
      AdapterFile file,
      List<Attestation> attestations,
      Collection<WorkerKey> keys,
      Collection<Sha256> pinned)
      throws LimitExceededException {
    Map<Sha256, WorkerKey> known =
        keys.stream().collect(Collectors.toMap(WorkerKey::fingerprint, key -> key, (a, _) -> a));
    AttestationCheck check = new AttestationCheck(digest, file, pinned);
    for (Attestation attestation : attestations) {
      check.add(attestation, known.get(attestation.key()));
    }
    return check.prove();
  }

  /**
   * Counts the machines that attest a match: the smaller of the numbers of different keys and of
   * different hosts. Workers state their hosts themselves.
   *
   * @return the number of machines
   */
  public int independent() {
    return Math.min(keys().size(), hosts().size());
  }

  private List<Sha256> hosts() {
    return matches.stream().map(it -> it.statement.reconstruction().host()).distinct().toList();
  }

  /**
   * Returns who attests a match.
   *
   * @return the signers, by key and then by host
   */
  public List<Signer> signers() {
    return Signer.of(matches);
  }

  /**
   * Explains why {@link #independent} is less than the number of keys or of hosts.
   *
   * @return text in parentheses after a space, or an empty one if both numbers are equal
   */
  public String notIndependent() {
    List<Sha256> hosts = hosts();
    if (keys().size() == hosts.size()) {
      return "";
    }
    return " (%s on %s; keys on one host count as one machine, and so do hosts with one key)"
        .formatted(
            quantity(keys().size(), "key"),
            hosts.size() == 1
                ? "one host, " + Signer.shown(hosts.getFirst())
                : quantity(hosts.size(), "host"));
  }

  private static String quantity(int number, String thing) {
    return number + " " + thing + (number == 1 ? "" : "s");
  }

  /** Keys under which a match is attested. */
  public List<Sha256> keys() {
    return matches.stream().map(Holding::key).distinct().sorted().toList();
  }

  /** Backends by which a match is attested, in alphabetical order. */
  public List<String> backends() {
    return matches.stream()
        .map(it -> it.statement.reconstruction().backend())
        .distinct()
        .sorted()
        .toList();
  }

  /**
   * Returns the attestations that contradict what this machine reconstructs, as sentences. They
   * prove nothing: bits that differ cannot be computed again elsewhere.
   *
   * @return a sentence for each mismatch
   */
  public List<String> disputes() {
    return mismatches.stream()
        .map(
            mismatch ->
                "key %s attests that %s reconstructs the file to different bits: %s"
                    .formatted(
                        mismatch.key,
                        mismatch.statement.reconstruction().backend(),
                        mismatch.statement.reconstruction().difference()))
        .toList();
  }

  /**
   * Returns the reasons why the file is not attested as required; empty if it is. An alarming
   * attestation is always a reason, and so is a mismatch by a pinned key. One by another key is
   * not: alone it would unpublish the file for everyone ({@link #disputes}).
   *
   * @param required number of independent machines; at least one is required if keys were given
   * @return the reasons
   */
  public List<String> failures(int required) {
    // Whoever names keys asks for their word: without any, none of them would have to sign.
    int needed = pinned ? Math.max(1, required) : required;
    List<String> failures = new ArrayList<>();
    if (pinned) {
      failures.addAll(disputes());
    }
    failures.addAll(rejections(true));
    if (independent() < needed) {
      failures.add(
          "attested by %s%s%s; %d required"
              .formatted(
                  quantity(independent(), "independent machine"),
                  pinned ? " with the given keys" : "",
                  notIndependent(),
                  needed));
      // What was passed over quietly is of interest now.
      failures.addAll(rejections(false));
    }
    return failures;
  }

  /** Returns attestations that do not count, a line for each key and reason. */
  private List<String> rejections(boolean alarming) {
    record Rejection(Sha256 key, String reason) {}
    Map<Rejection, List<String>> ids =
        rejected.stream()
            .filter(each -> each.alarming == alarming)
            .collect(
                Collectors.groupingBy(
                    each -> new Rejection(each.key, each.reason),
                    LinkedHashMap::new,
                    Collectors.mapping(each -> Long.toString(each.id), Collectors.toList())));
    List<String> lines = new ArrayList<>();
    ids.forEach(
        (rejection, same) ->
            lines.add(
                "attestation%s %s by %s: %s"
                    .formatted(
                        same.size() == 1 ? "" : "s",
                        String.join(", ", same),
                        rejection.key,
                        rejection.reason)));
    return lines;
  }
}
