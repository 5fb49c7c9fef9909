package dev.nola.client.mirror;

import dev.nola.api.AdapterChange;
import dev.nola.api.AdapterDetails;
import dev.nola.api.Verification;
import dev.nola.api.VersionSummary;
import dev.nola.api.Visibility;
import dev.nola.api.Yank;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.attestation.AttestationCopy;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import java.io.IOException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes one adapter equal to that of another registry. */
final class AdapterMirror {
  private static final int MAX_VERSIONS = 100_000;

  /** Reasons of yanks in the copy, for what the source says in another way. */
  private static final String DELETED = "deleted in the registry that this is a copy of";

  private static final String MISMATCHED =
      "mismatched in the registry that this is a copy of: workers there reconstruct other bits";

  private final NolaClient source;
  private final NolaClient target;
  private final AdapterName adapter;
  private final AttestationCopy attestations;
  private final Findings findings;

  /** Versions that are not in step, which no alias is pointed to. */
  private final Set<String> failed = new HashSet<>();

  private boolean exists;

  AdapterMirror(
      NolaClient source,
      NolaClient target,
      AdapterName adapter,
      AttestationCopy attestations,
      Findings findings) {
    this.source = source;
    this.target = target;
    this.adapter = adapter;
    this.attestations = attestations;
    this.findings = findings;
  }

  /**
   * Publishes, yanks, attests and names versions as the source does.
   *
   * @throws RegistryException if a registry cannot be reached, or refuses what concerns all
   *     versions
   */
  void run() throws IOException, InterruptedException {
    AdapterDetails original = source.adapters().get(adapter);
    Map<String, VersionSummary> versions = versions(source);
    AdapterDetails copy = target.adapters().find(adapter).orElse(null);
    Map<String, VersionSummary> copies = copy == null ? Map.of() : versions(target);
    if (copy != null) {
      exists = true;
      hideIfPrivate(original, copy);
    } else if (!versions.isEmpty() && !isMember()) {
      return;
    }
    for (VersionSummary version : List.copyOf(versions.values()).reversed()) { // lowest first
      attempt(version.version(), () -> copy(version, copies.get(version.version()), original));
    }
    for (VersionSummary each : copies.values()) {
      if (!versions.containsKey(each.version())) {
        attempt(each.version(), () -> yankAs(DELETED, each.version(), each.yanked()));
      }
    }
    if (exists) {
      AdapterDetails now = target.adapters().get(adapter);
      describe(original, now.description());
      pointAliases(original, now.aliases());
    }
  }

  /**
   * Finds out whether the account can publish in the namespace, before files are pulled. The
   * registry itself answers a publication without saying whether the namespace is missing.
   */
  private boolean isMember() throws IOException, InterruptedException {
    String namespace = adapter.namespace();
    try {
      if (target.namespaces().get(namespace).role() != null) {
        return true;
      }
      findings.problem(
          "token's account not a member of namespace %s in %s; have an owner run nola member add %s ACCOUNT, or log in with a member's token"
              .formatted(namespace, target.registry(), namespace));
    } catch (RegistryException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
      findings.problem(
          "namespace %s not found in %s; run nola namespace create %s --registry %s"
              .formatted(namespace, target.registry(), namespace, target.registry()));
    }
    return false;
  }

  private Map<String, VersionSummary> versions(NolaClient registry)
      throws IOException, InterruptedException {
    Map<String, VersionSummary> versions = new LinkedHashMap<>();
    for (VersionSummary each :
        AllPages.read(
            "versions of " + adapter,
            MAX_VERSIONS,
            cursor -> registry.adapters().versions(adapter, cursor))) {
      versions.put(each.version(), each);
    }
    return versions;
  }

  /** A step that concerns one version. */
  @FunctionalInterface
  private interface Step {
    void run() throws IOException, InterruptedException;
  }

  private void attempt(String version, Step step) throws IOException, InterruptedException {
    try {
      step.run();
    } catch (RegistryException e) {
      if (e.kind() == Kind.UNAVAILABLE) {
        throw e;
      }
      fail(version, e);
    } catch (IllegalArgumentException e) { // a name that the source should not have
      fail(version, e);
    }
  }

  private void fail(String version, Exception failure) {
    failed.add(version);
    findings.problem(version + ": " + failure.getMessage());
  }

  /** Never shows more people an adapter than the source does; the copy may show it to fewer. */
  private void hideIfPrivate(AdapterDetails original, AdapterDetails copy)
      throws IOException, InterruptedException {
    if (original.visibility() == Visibility.PRIVATE && copy.visibility() == Visibility.PUBLIC) {
      target.adapters().change(adapter, new AdapterChange(null, Visibility.PRIVATE));
      findings.change("made private");
    }
  }

  private void copy(VersionSummary version, @Nullable VersionSummary copy, AdapterDetails original)
      throws IOException, InterruptedException {
    String number = version.version();
    Reference reference = new Reference(adapter, number);
    if (copy != null && !copy.digest().equals(version.digest())) {
      failed.add(number);
      findings.problem(
          "%s: different bytes: %s in %s, %s in %s; a version never changes, so one of them is not what it claims to be"
              .formatted(
                  number, version.digest(), source.registry(), copy.digest(), target.registry()));
      return;
    }
    if (copy == null) {
      publish(reference, version, original.visibility());
    }
    yankAs(wantedReason(version), number, copy == null ? null : copy.yanked());
    if (version.disputed()) {
      findings.warning(
          "%s is disputed in %s; attestations of other bits are not copied"
              .formatted(number, source.registry()));
    }
    if (version.verification() == Verification.VERIFIED) { // otherwise, no match counts
      attest(reference);
    }
  }

  private void publish(Reference reference, VersionSummary version, Visibility visibility)
      throws IOException, InterruptedException {
    Pulled pulled = source.pull(reference, Progress.NONE);
    if (!pulled.digest().equals(version.digest())) {
      throw RegistryException.broken(
          "%s lists %s with digest %s, but sent %s"
              .formatted(source.registry(), reference, version.digest(), pulled.digest()));
    }
    target
        .adapters()
        .publish(
            adapter, reference.version(), pulled.path(), exists ? null : visibility, Progress.NONE);
    exists = true;
    findings.change("published %s", reference.version());
  }

  private static @Nullable String wantedReason(VersionSummary version) {
    Yank yank = version.yanked();
    if (yank != null) {
      return yank.reason();
    }
    return version.verification() == Verification.MISMATCHED ? MISMATCHED : null;
  }

  private void yankAs(@Nullable String reason, String version, @Nullable Yank present)
      throws IOException, InterruptedException {
    if (reason == null && present != null) {
      target.adapters().unyank(adapter, version);
      findings.change("yank undone: %s", version);
    } else if (reason != null && (present == null || !present.reason().equals(reason))) {
      target.adapters().yank(adapter, version, reason);
      findings.change("yanked %s: %s", version, reason);
    }
  }

  private void attest(Reference reference) throws IOException, InterruptedException {
    AttestationCopy.Result result =
        attestations.copy(reference, SignedEnvelope.fetch(source, reference));
    if (result.added() > 0) {
      findings.change("attestations added to %s: %d", reference.version(), result.added());
    }
    findings.unapproved(result.unapproved());
    result.refused().forEach(reason -> findings.warning(reference.version() + ": " + reason));
  }

  private void describe(AdapterDetails original, String present)
      throws IOException, InterruptedException {
    if (!present.equals(original.description())) {
      target.adapters().change(adapter, new AdapterChange(original.description(), null));
      findings.change("described");
    }
  }

  private void pointAliases(AdapterDetails original, Map<String, String> present)
      throws IOException, InterruptedException {
    for (Map.Entry<String, String> alias : original.aliases().entrySet()) {
      String version = alias.getValue();
      if (!failed.contains(version) && !version.equals(present.get(alias.getKey()))) {
        target.aliases().set(adapter, alias.getKey(), version);
        findings.change("alias %s: %s", alias.getKey(), version);
      }
    }
    for (String alias : present.keySet()) {
      if (!original.aliases().containsKey(alias)) {
        target.aliases().remove(adapter, alias);
        findings.change("alias %s removed", alias);
      }
    }
  }
}
