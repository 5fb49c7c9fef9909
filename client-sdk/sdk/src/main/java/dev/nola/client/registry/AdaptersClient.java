package dev.nola.client.registry;

import dev.nola.api.AdapterChange;
import dev.nola.api.AdapterDetails;
import dev.nola.api.AdapterSummary;
import dev.nola.api.Page;
import dev.nola.api.VersionDetails;
import dev.nola.api.VersionSummary;
import dev.nola.api.Visibility;
import dev.nola.api.YankRequest;
import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.CopiedAttestations;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.Transport;
import dev.nola.digest.Sha256;
import dev.nola.files.ProcessLock;
import dev.nola.format.AdapterFile;
import dev.nola.text.Label;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;

/** Searches adapters, reads their versions, and publishes and yanks versions. */
public final class AdaptersClient {
  private static final int CREATED = 201;

  private final Transport transport;
  private final long maxFileSize;

  AdaptersClient(Transport transport, long maxFileSize) {
    this.transport = transport;
    this.maxFileSize = maxFileSize;
  }

  /**
   * Searches adapters.
   *
   * @param query the conditions, the order and the size of a page
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return the adapters that meet all conditions
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<AdapterSummary> search(SearchQuery query, @Nullable String cursor)
      throws IOException, InterruptedException {
    Query parameters =
        new Query()
            .add("q", query.text())
            .add("base", query.base())
            .add("generator", query.generator())
            .add("bits", query.bits())
            .add("rank", query.rank());
    query.tags().forEach(tag -> parameters.add("tag", tag));
    parameters
        .add("namespace", query.namespace())
        .add("verified", query.verified())
        .add("sort", query.sort() == null ? null : Label.of(query.sort()))
        .add("limit", query.limit())
        .add("cursor", cursor);
    return transport.json(Call.get(Paths.ADAPTERS + parameters), new TypeReference<>() {});
  }

  /**
   * Reads an adapter.
   *
   * @param adapter the adapter's name
   * @return the adapter's details
   * @throws RegistryException of kind {@code NOT_FOUND} if the registry has no such adapter, or the
   *     account may not see it; of another kind if it refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public AdapterDetails get(AdapterName adapter) throws IOException, InterruptedException {
    return transport.json(Call.get(Paths.adapter(adapter)), new TypeReference<>() {});
  }

  /**
   * Finds an adapter.
   *
   * @param adapter the adapter's name
   * @return the adapter's details; empty if the registry has no such adapter, or the account may
   *     not see it
   * @throws RegistryException if the registry refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Optional<AdapterDetails> find(AdapterName adapter)
      throws IOException, InterruptedException {
    return orEmpty(() -> get(adapter));
  }

  /**
   * Finds the version that a reference resolves to.
   *
   * @param reference the reference
   * @return the version's details; empty if the registry has no such version, or the account may
   *     not see it
   * @throws RegistryException if the registry refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Optional<VersionDetails> find(Reference reference)
      throws IOException, InterruptedException {
    return orEmpty(() -> version(reference));
  }

  /** Reads something that may not exist. */
  @FunctionalInterface
  private interface Lookup<T> {
    T read() throws IOException, InterruptedException;
  }

  private static <T> Optional<T> orEmpty(Lookup<T> lookup)
      throws IOException, InterruptedException {
    try {
      return Optional.of(lookup.read());
    } catch (RegistryException e) {
      if (e.kind() == RegistryException.Kind.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Changes an adapter.
   *
   * @param adapter the adapter's name
   * @param change the new description and visibility; null leaves the one unchanged
   * @return the adapter's details
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account may not: members change
   *     the description, owners the visibility; of another kind if the registry refuses otherwise
   *     or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public AdapterDetails change(AdapterName adapter, AdapterChange change)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("PATCH", Paths.adapter(adapter)).with(Content.json(change)),
        new TypeReference<>() {});
  }

  /**
   * Lists an adapter's versions, highest first, up to 100 at once.
   *
   * @param adapter the adapter's name
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of versions
   * @throws RegistryException of kind {@code NOT_FOUND} if the registry has no such adapter, or the
   *     account may not see it; of another kind if it refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<VersionSummary> versions(AdapterName adapter, @Nullable String cursor)
      throws IOException, InterruptedException {
    Query query = new Query().page(cursor);
    return transport.json(
        Call.get(Paths.adapter(adapter) + "/versions" + query), new TypeReference<>() {});
  }

  /**
   * Reads the version that a reference resolves to.
   *
   * @param reference the reference
   * @return the version's details
   * @throws RegistryException of kind {@code NOT_FOUND} if the registry has no such version, or the
   *     account may not see it; of another kind if it refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public VersionDetails version(Reference reference) throws IOException, InterruptedException {
    return transport.json(Call.get(Paths.version(reference)), new TypeReference<>() {});
  }

  /**
   * Lists the attestations of the file that a reference resolves to, oldest first, up to 100 at
   * once. None of them is checked: see {@link dev.nola.client.attestation.Attested}.
   *
   * @param reference the reference
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of attestations
   * @throws RegistryException of kind {@code NOT_FOUND} if the registry has no such version, or the
   *     account may not see it; of another kind if it refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<Attestation> attestations(Reference reference, @Nullable String cursor)
      throws IOException, InterruptedException {
    Query query = new Query().page(cursor);
    return transport.json(
        Call.get(Paths.version(reference) + "/attestations" + query), new TypeReference<>() {});
  }

  /**
   * Adds attestations that workers made for another registry. The registry checks each on its own,
   * and accepts what it has already; a key that is new to it is registered for the caller's account
   * and awaits an admin's approval.
   *
   * @param reference the version, by number
   * @param copied 1 to 100 attestations of its file
   * @return a verdict on each, in their order
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account may not publish here,
   *     {@code NOT_FOUND} if the registry has no such version; of another kind if it refuses all or
   *     cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public List<CopiedAttestations.CopyVerdict> addAttestations(
      Reference reference, CopiedAttestations copied) throws IOException, InterruptedException {
    CopiedAttestations.CopyAnswer answer =
        transport.json(
            Call.of("POST", Paths.version(reference) + "/attestations").with(Content.json(copied)),
            new TypeReference<>() {});
    if (answer.verdicts().size() != copied.attestations().size()) {
      throw RegistryException.broken(
          "%s sent %d verdicts on %d attestations of %s"
              .formatted(
                  transport.registry(),
                  answer.verdicts().size(),
                  copied.attestations().size(),
                  reference));
    }
    return answer.verdicts();
  }

  /**
   * Publishes a file as a version of an adapter, which becomes public if this creates it.
   *
   * @param adapter the adapter's name
   * @param version the version number
   * @param file the file to upload
   * @param progress receives the number of bytes sent, on another thread
   * @return the published version
   * @throws RegistryException if the registry refuses the file or cannot be reached
   * @throws IOException if the file cannot be read, is empty or too large
   * @throws InterruptedException if the thread is interrupted while it waits
   * @see #publish(AdapterName, String, Path, Visibility, Progress)
   */
  public Published publish(AdapterName adapter, String version, Path file, Progress progress)
      throws IOException, InterruptedException {
    return publish(adapter, version, file, null, progress);
  }

  /**
   * Publishes a file as a version of an adapter. The same bytes can be published again, and then
   * nothing changes; a version never gets other bytes.
   *
   * @param adapter the adapter's name
   * @param version the version number
   * @param file the file to upload
   * @param visibility the visibility of the adapter if this creates it, null for public; of an
   *     adapter that exists it must be its visibility, or null
   * @param progress receives the number of bytes sent, on another thread; it starts again from 0
   *     when the connection is lost
   * @return the published version
   * @throws IllegalArgumentException if the version is not a version number
   * @throws RegistryException of kind {@code CONFLICT} if other bytes have that version; {@code
   *     REFUSED}, with all violations, if the registry does not take the file
   * @throws IOException if the file cannot be read, is empty or too large
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Published publish(
      AdapterName adapter,
      String version,
      Path file,
      @Nullable Visibility visibility,
      Progress progress)
      throws IOException, InterruptedException {
    NameRule.VERSION.require(version);
    return publish(new Reference(adapter, version), read(file), visibility, progress);
  }

  /**
   * Publishes bytes as a version of an adapter, as {@link #publish(AdapterName, String, Path,
   * Visibility, Progress)} does a file.
   *
   * @param reference the adapter and version number
   * @param bytes the adapter file
   * @param visibility the visibility of the adapter if this creates it, null for public; of an
   *     adapter that exists it must be its visibility, or null
   * @param progress receives the number of bytes sent, on another thread
   * @return the published version
   * @throws IllegalArgumentException if the reference is not one by version number
   * @throws RegistryException as for a file
   * @throws IOException if the request fails
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Published publish(
      Reference reference, byte[] bytes, @Nullable Visibility visibility, Progress progress)
      throws IOException, InterruptedException {
    NameRule.VERSION.require(reference.version());
    Query query = new Query().add("visibility", visibility == null ? null : Label.of(visibility));
    Transport.Stated<VersionSummary> answer =
        transport.jsonAndStatus(
            Call.of("POST", Paths.version(reference) + query)
                .with(Content.bytes(AdapterFile.MEDIA_TYPE, bytes, progress)),
            new TypeReference<>() {});
    Sha256 digest = Sha256.hash(bytes);
    if (!answer.value().digest().equals(digest)) {
      throw RegistryException.broken(
          "%s reports that it published %s with digest %s, but the file sent has %s"
              .formatted(transport.registry(), reference, answer.value().digest(), digest));
    }
    return new Published(version(reference), answer.status() == CREATED);
  }

  /**
   * Withdraws a version from new use: {@code latest} and ranges skip it.
   *
   * @param adapter the adapter's name
   * @param version the exact version number
   * @param reason 1 to 500 characters, shown to anyone still using the version
   * @return the yanked version
   * @throws IllegalArgumentException if the version is not a version number
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account may not publish here,
   *     {@code NOT_FOUND} if the registry has no such version; of another kind if it refuses
   *     otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public VersionSummary yank(AdapterName adapter, String version, String reason)
      throws IOException, InterruptedException {
    NameRule.VERSION.require(version);
    return transport.json(
        Call.of("PUT", Paths.version(new Reference(adapter, version)) + "/yank")
            .with(Content.json(new YankRequest(reason))),
        new TypeReference<>() {});
  }

  /**
   * Reverts a yank.
   *
   * @param adapter the adapter's name
   * @param version the exact version number
   * @return the version
   * @throws IllegalArgumentException if the version is not a version number
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account may not publish here,
   *     {@code NOT_FOUND} if the registry has no such version; of another kind if it refuses
   *     otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public VersionSummary unyank(AdapterName adapter, String version)
      throws IOException, InterruptedException {
    NameRule.VERSION.require(version);
    return transport.json(
        Call.of("DELETE", Paths.version(new Reference(adapter, version)) + "/yank"),
        new TypeReference<>() {});
  }

  private byte[] read(Path file) throws IOException, InterruptedException {
    try {
      long size = Files.size(file);
      if (size == 0 || size > maxFileSize) {
        throw new IOException(
            "%s has %d bytes; must have 1 to %d".formatted(file, size, maxFileSize));
      }
      return Files.readAllBytes(file);
    } catch (ClosedByInterruptException e) {
      throw ProcessLock.interrupted(e);
    }
  }
}
