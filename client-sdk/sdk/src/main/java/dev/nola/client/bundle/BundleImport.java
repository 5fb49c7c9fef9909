package dev.nola.client.bundle;

import dev.nola.api.AdapterChange;
import dev.nola.api.AdapterDetails;
import dev.nola.api.VersionDetails;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.attestation.AttestationCopy;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Publishes a bundle's versions in a registry. What is there already stays as it is: an import that
 * was interrupted can be run again.
 */
public final class BundleImport {
  private final Bundle bundle;
  private final NolaClient target;
  private final List<Planned> planned;

  private BundleImport(Bundle bundle, NolaClient target, List<Planned> planned) {
    this.bundle = bundle;
    this.target = target;
    this.planned = List.copyOf(planned);
  }

  /**
   * A version to be imported.
   *
   * @param version of the bundle
   * @param reference what it is in the registry
   * @param isNew whether the registry does not have it
   */
  public record Planned(BundleIndex.Version version, Reference reference, boolean isNew) {}

  /**
   * A version that was imported.
   *
   * @param reference what it is in the registry
   * @param isNew whether it was published; false if it was there
   * @param attestations what came of its attestations
   */
  public record Imported(Reference reference, boolean isNew, AttestationCopy.Result attestations) {}

  /**
   * Compares a bundle with a registry; publishes nothing.
   *
   * @param bundle the bundle; its content is not checked here
   * @param target the registry
   * @param namespace for all adapters; null for their own
   * @return the import, which can be run
   * @throws RegistryException of kind {@code CONFLICT} if the registry has another file for a
   *     version, or two versions of the bundle get one name; or if it cannot be reached
   * @throws IOException if a request fails
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public static BundleImport plan(Bundle bundle, NolaClient target, @Nullable String namespace)
      throws IOException, InterruptedException {
    List<Planned> planned = new ArrayList<>();
    List<String> conflicts = new ArrayList<>();
    Map<Reference, Sha256> names = new HashMap<>();
    for (BundleIndex.Version version : bundle.index().versions()) {
      Reference own = version.reference();
      Reference reference =
          namespace == null
              ? own
              : new Reference(new AdapterName(namespace, own.adapter().name()), own.version());
      Sha256 other = names.putIfAbsent(reference, version.digest());
      Optional<VersionDetails> present = target.adapters().find(reference);
      if (other == null) {
        other = present.map(VersionDetails::digest).orElse(null);
        planned.add(new Planned(version, reference, present.isEmpty()));
      }
      if (other != null && !other.equals(version.digest())) {
        conflicts.add(
            "%s is %s, and %s in the bundle".formatted(reference, other, version.digest()));
      }
    }
    if (!conflicts.isEmpty()) {
      throw new RegistryException(
          Kind.CONFLICT,
          0,
          null,
          null,
          "different bytes in %s, so nothing was published: %s"
              .formatted(target.registry(), String.join("; ", conflicts)));
    }
    return new BundleImport(bundle, target, planned);
  }

  /**
   * Returns what is to be imported.
   *
   * @return the versions, in the order of the bundle
   */
  public List<Planned> planned() {
    return planned;
  }

  /**
   * Publishes the versions that the registry does not have, yanks those that were yanked, and adds
   * attestations. An adapter that is new gets its description and visibility.
   *
   * @param trusted fingerprints of the keys whose attestations are added; if empty, all are
   * @param withAliases whether to point aliases to the versions that they point to in the bundle
   * @param progress receives the number of bytes sent of the current file
   * @return what came of each version
   * @throws RegistryException if the registry refuses something or cannot be reached; what came
   *     before stays
   * @throws IOException if the bundle cannot be read
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public List<Imported> run(Set<Sha256> trusted, boolean withAliases, Progress progress)
      throws IOException, InterruptedException {
    AttestationCopy copy = new AttestationCopy(target);
    Set<AdapterName> known = new HashSet<>();
    List<Imported> imported = new ArrayList<>();
    for (Planned each : planned) {
      if (each.isNew) {
        publish(each, known.add(each.reference.adapter()), progress);
      }
      yank(each); // at once: until then, latest can mean it
      List<SignedEnvelope> attestations =
          bundle.attestations(each.version).stream()
              .filter(one -> trusted.isEmpty() || trusted.contains(one.keyId()))
              .toList();
      imported.add(
          new Imported(each.reference, each.isNew, copy.copy(each.reference, attestations)));
    }
    if (withAliases) {
      for (Planned each : planned) {
        pointAliases(each);
      }
    }
    return imported;
  }

  private void publish(Planned each, boolean isFirst, Progress progress)
      throws IOException, InterruptedException {
    AdapterName adapter = each.reference.adapter();
    byte[] file = bundle.file(each.version);
    if (!isFirst || target.adapters().find(adapter).isPresent()) {
      target.adapters().publish(each.reference, file, null, progress);
      return;
    }
    target.adapters().publish(each.reference, file, each.version.visibility(), progress);
    AdapterDetails made = target.adapters().get(adapter);
    if (!made.description().equals(each.version.description())) {
      target.adapters().change(adapter, new AdapterChange(each.version.description(), null));
    }
  }

  private void yank(Planned each) throws IOException, InterruptedException {
    String reason = each.version.yanked();
    if (reason != null && target.adapters().version(each.reference).yanked() == null) {
      target.adapters().yank(each.reference.adapter(), each.reference.version(), reason);
    }
  }

  private void pointAliases(Planned each) throws IOException, InterruptedException {
    if (each.version.aliases().isEmpty()) {
      return;
    }
    List<String> present = target.adapters().version(each.reference).aliases();
    for (String alias : each.version.aliases()) {
      if (!present.contains(alias)) {
        target.aliases().set(each.reference.adapter(), alias, each.reference.version());
      }
    }
  }
}
