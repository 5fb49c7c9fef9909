package dev.nola.client.mirror;

import dev.nola.api.AdapterSummary;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.attestation.AttestationCopy;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.SearchQuery;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Makes one registry's adapters equal to those of another, by comparing both. It keeps no state:
 * what was interrupted continues with the next round, and a round without changes changes nothing.
 *
 * <p>Versions are compared by their digest, and never replaced. A version that the source deleted
 * is yanked in the copy, which a person can undo, and not deleted.
 */
public final class Mirror {
  private static final int MAX_ADAPTERS = 1_000_000;
  private static final int MAX_KEYS = 10_000;
  private static final int PAGE = 100;

  private final NolaClient source;
  private final NolaClient target;

  /**
   * @param source the registry to copy from
   * @param target the registry to copy to, with a token that may publish there
   */
  public Mirror(NolaClient source, NolaClient target) {
    this.source = source;
    this.target = target;
  }

  /**
   * Copies what changed.
   *
   * @param namespaces all adapters of these, now and later
   * @param adapters these too
   * @param listener receives a report when an adapter is done
   * @return whether the copy is in step; false if a report has a problem
   * @throws IOException if a file cannot be read or written here
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public boolean round(
      Collection<String> namespaces,
      Collection<AdapterName> adapters,
      Consumer<MirrorReport> listener)
      throws IOException, InterruptedException {
    Round round = new Round(listener);
    SortedSet<AdapterName> all =
        new TreeSet<>(
            Comparator.comparing(AdapterName::namespace).thenComparing(AdapterName::name));
    all.addAll(adapters);
    for (String namespace : namespaces) {
      NameRule.NAMESPACE.require(namespace);
      round.attempt(namespace, _ -> all.addAll(list(namespace)));
    }
    AttestationCopy attestations = new AttestationCopy(target);
    for (AdapterName adapter : all) {
      round.attempt(
          adapter.toString(),
          findings -> new AdapterMirror(source, target, adapter, attestations, findings).run());
    }
    round.attempt(target.registry().toString(), this::compareRevocations);
    return round.isInStep;
  }

  /** Part of a round. */
  @FunctionalInterface
  private interface Part {
    void run(Findings findings) throws IOException, InterruptedException;
  }

  /** Keeps the failure of one part from stopping others, unless a registry cannot be reached. */
  private static final class Round {
    private final Consumer<MirrorReport> listener;
    private boolean isInStep = true;
    private boolean isUnreachable;

    Round(Consumer<MirrorReport> listener) {
      this.listener = listener;
    }

    void attempt(String subject, Part part) throws IOException, InterruptedException {
      if (isUnreachable) {
        return;
      }
      Findings findings = new Findings();
      try {
        part.run(findings);
      } catch (RegistryException e) {
        isUnreachable = e.kind() == Kind.UNAVAILABLE;
        findings.problem(
            e.getMessage() + (isUnreachable ? "; the rest is left to the next round" : ""));
      } catch (IllegalArgumentException e) { // a name that the source should not have
        findings.problem(String.valueOf(e.getMessage()));
      }
      MirrorReport report = findings.report(subject);
      isInStep &= report.problems().isEmpty();
      listener.accept(report);
    }
  }

  /**
   * Lists the adapters that either registry has: those of the copy, too, since searches do not find
   * an adapter of which all versions are yanked or deleted.
   */
  private Set<AdapterName> list(String namespace) throws IOException, InterruptedException {
    Set<AdapterName> names = new TreeSet<>(Comparator.comparing(AdapterName::name));
    for (NolaClient registry : List.of(source, target)) {
      for (AdapterSummary found :
          AllPages.read(
              "adapters of " + namespace,
              MAX_ADAPTERS,
              cursor ->
                  registry
                      .adapters()
                      .search(
                          SearchQuery.builder()
                              .namespace(namespace)
                              .sort(SearchQuery.Sort.NAME)
                              .limit(PAGE)
                              .build(),
                          cursor))) {
        if (!found.namespace().equals(namespace)) { // a registry must not choose where we write
          throw RegistryException.broken(
              "%s listed an adapter of another namespace in %s: %s"
                  .formatted(registry.registry(), namespace, found.namespace()));
        }
        names.add(new AdapterName(namespace, found.name()));
      }
    }
    return names;
  }

  /** Reports keys that the source revoked and the copy still trusts: only its admin may revoke. */
  private void compareRevocations(Findings findings) throws IOException, InterruptedException {
    Set<Sha256> trusted = new HashSet<>();
    for (WorkerKey key : AllPages.read("keys", MAX_KEYS, target.workerKeys()::list)) {
      if (key.state() == WorkerKey.State.APPROVED) {
        trusted.add(key.fingerprint());
      }
    }
    for (WorkerKey key : AllPages.read("keys", MAX_KEYS, source.workerKeys()::list)) {
      if (key.state() == WorkerKey.State.REVOKED && trusted.contains(key.fingerprint())) {
        findings.problem(
            "key revoked in %s, but not here: %s (%s); an admin of %s must decide: nola key revoke %s"
                .formatted(
                    source.registry(),
                    key.fingerprint(),
                    key.revokeReason(),
                    target.registry(),
                    key.fingerprint()));
      }
    }
  }
}
