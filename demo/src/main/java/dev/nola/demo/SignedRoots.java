package dev.nola.demo;

import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.InvalidAttestationException;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.name.BackendName;
import dev.nola.api.name.Reference;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What workers signed after reconstructing a version.
 *
 * @param keys the keys that signed, by backend
 * @param roots root of the digest tree, by backend
 */
record SignedRoots(Map<String, Set<Sha256>> keys, Map<String, String> roots) {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int PAUSE_MILLIS = 200;

  /** Those that every worker has, of which the registry requests verifications by default. */
  private static final List<String> BACKENDS =
      List.of(BackendName.SCALAR.label(), BackendName.VECTOR.label(), BackendName.TORCH.label());

  /**
   * Waits until every worker has signed on every backend.
   *
   * @param servers checked to be running meanwhile
   * @param user reads the attestations
   * @param reference the version
   * @param workers number of workers
   * @return what they signed, equal on all backends
   * @throws IOException if that takes more than two minutes, or backends differ
   */
  static SignedRoots await(Servers servers, NolaClient user, Reference reference, int workers)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    SignedRoots signed = new SignedRoots(new TreeMap<>(), new TreeMap<>());
    while (signed.keys.size() < BACKENDS.size()
        || signed.keys.values().stream().anyMatch(keys -> keys.size() < workers)) {
      servers.requireAlive();
      for (Attestation attestation : user.adapters().attestations(reference, null).items()) {
        if (attestation.counts()) {
          signed
              .keys
              .computeIfAbsent(attestation.backend(), _ -> new TreeSet<>())
              .add(attestation.key());
          signed.roots.put(attestation.backend(), open(user, attestation).root().hex());
        }
      }
      if (System.nanoTime() > deadline) {
        throw new IOException(
            "%s not verified on %s after %d seconds; signed so far: %s"
                .formatted(reference, BACKENDS, LIMIT.toSeconds(), signed.keys));
      }
      Thread.sleep(PAUSE_MILLIS);
    }
    if (Set.copyOf(signed.roots.values()).size() != 1) {
      throw new IOException("the backends produced different bits: " + signed.roots);
    }
    return signed;
  }

  /** Checks the signature here instead of believing the registry, and returns what was signed. */
  private static Reconstruction open(NolaClient user, Attestation attestation)
      throws IOException, InterruptedException {
    WorkerKey key = user.workerKeys().get(attestation.key());
    try {
      return VerifyingKey.parse(key.publicKey()).open(attestation.envelope()).reconstruction();
    } catch (InvalidAttestationException e) {
      throw new IOException("attestation %d: %s".formatted(attestation.id(), e.getMessage()), e);
    }
  }

  /** Adds the roots to what was measured. */
  void report(Measurements measurements) {
    roots.forEach(
        (backend, root) -> {
          int count = keys.get(backend).size();
          measurements.digest(
              "%s, signed with %d %s".formatted(backend, count, count == 1 ? "key" : "keys"), root);
        });
  }
}
