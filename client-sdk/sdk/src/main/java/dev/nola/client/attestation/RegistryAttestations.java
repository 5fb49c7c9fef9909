package dev.nola.client.attestation;

import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.name.Reference;
import dev.nola.client.RegistryException;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A version's attestations in a Nola registry.
 *
 * @param attestations of the version
 * @param keys those of the signing keys that the registry knows, by fingerprint
 */
record RegistryAttestations(List<Attestation> attestations, Map<Sha256, WorkerKey> keys) {
  private static final int MAX_ATTESTATIONS = 10_000;

  /**
   * Fetches the attestations of a version, and their keys.
   *
   * @param reference of the version, by number or digest
   * @throws RegistryException if the registry refuses or cannot be reached
   */
  static RegistryAttestations fetch(NolaClient client, Reference reference)
      throws IOException, InterruptedException {
    List<Attestation> all = list(client, reference);
    Map<Sha256, WorkerKey> keys = new HashMap<>();
    for (Sha256 fingerprint :
        all.stream().map(Attestation::key).collect(Collectors.toCollection(TreeSet::new))) {
      key(client, fingerprint).ifPresent(key -> keys.put(fingerprint, key));
    }
    return new RegistryAttestations(all, keys);
  }

  /**
   * Fetches the attestations of a version.
   *
   * @throws RegistryException if the registry refuses or cannot be reached
   */
  static List<Attestation> list(NolaClient client, Reference reference)
      throws IOException, InterruptedException {
    return AllPages.read(
        "attestations of " + reference,
        MAX_ATTESTATIONS,
        cursor -> client.adapters().attestations(reference, cursor));
  }

  /**
   * Fetches a key.
   *
   * @return the key; empty if the registry does not know it
   * @throws RegistryException if the registry refuses otherwise or cannot be reached
   */
  static Optional<WorkerKey> key(NolaClient client, Sha256 fingerprint)
      throws IOException, InterruptedException {
    try {
      return Optional.of(client.workerKeys().get(fingerprint));
    } catch (RegistryException e) {
      if (e.kind() == RegistryException.Kind.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
