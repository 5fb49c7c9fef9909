package dev.nola.client.oci;

import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.download.Download;
import dev.nola.client.download.Source;
import dev.nola.client.http.Content;
import dev.nola.client.http.RegistryText;
import dev.nola.client.http.Retry;
import dev.nola.client.http.Timeouts;
import dev.nola.client.http.Transport;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import dev.nola.files.ProcessLock;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A client for one artifact in a container registry. Immutable and thread-safe; it keeps
 * connections open until it is closed.
 *
 * <p>Methods throw a {@link RegistryException}: of kind {@code NOT_ALLOWED} if the registry
 * requires another login, {@code NOT_FOUND} if the artifact does not exist or is not visible to
 * this login, {@code UNAVAILABLE} if the registry cannot be reached or is overloaded, {@code
 * BROKEN} if content does not match its digest or size.
 */
public final class OciClient implements AutoCloseable {
  private static final Set<String> MANIFESTS =
      Set.of(OciManifest.MEDIA_TYPE, "application/vnd.docker.distribution.manifest.v2+json");

  private final OciReference reference;
  private final LocalCache cache;
  private final Transport transport;
  private final OciRepository repository;

  /**
   * Creates a client; nothing is sent yet.
   *
   * @param reference the artifact
   * @param plainHttp true to connect without TLS, as is always done on this machine
   * @param credentials logins, never sent unencrypted to another machine
   * @param cache keeps pulled files
   */
  public OciClient(
      OciReference reference, boolean plainHttp, DockerCredentials credentials, LocalCache cache) {
    this.reference = reference;
    this.cache = cache;
    this.transport =
        new Transport(
            new OciProtocol(
                reference, reference.api(plainHttp), credentials, Timeouts.STANDARD.request()),
            Timeouts.STANDARD,
            Retry.STANDARD,
            false);
    this.repository = new OciRepository(transport, reference);
  }

  /**
   * Returns a client of the process's environment: the logins of {@code docker login}, and the
   * user's cache.
   *
   * @param reference the artifact
   * @param plainHttp true to connect without TLS, as is always done on this machine
   * @param environment the variables by name
   * @return the client, to be closed
   */
  public static OciClient of(
      OciReference reference, boolean plainHttp, Map<String, String> environment) {
    return new OciClient(
        reference, plainHttp, DockerCredentials.of(environment), LocalCache.of(environment));
  }

  /**
   * Pushes an adapter under the tag of this client's reference. Blobs that the repository already
   * has are not sent again.
   *
   * @param file the adapter
   * @param origin the names that the artifact states
   * @param progress receives the number of bytes sent
   * @return the artifact by the digest of its manifest
   * @throws IllegalArgumentException if the reference has no tag
   * @throws IOException if the file cannot be read or is not an adapter, or the registry refuses
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public OciReference push(Path file, OciOrigin origin, Progress progress)
      throws IOException, InterruptedException {
    if (reference.tag() == null) {
      throw new IllegalArgumentException(
          "invalid destination: %s; must have a tag".formatted(reference));
    }
    Sha256 digest = Sha256.hash(file);
    byte[] config = ModelPack.config(origin, AdapterFile.read(file), digest);
    OciDescriptor configBlob = OciDescriptor.of(ModelPack.CONFIG, config);
    OciDescriptor layer = ModelPack.layer(origin, digest, Files.size(file));
    repository.putBlob(layer, Content.file("application/octet-stream", file, progress));
    repository.putBlob(
        configBlob, Content.bytes("application/octet-stream", config, Progress.NONE));
    byte[] manifest =
        OciJson.write(OciManifest.of(ModelPack.ARTIFACT, configBlob, layer, null, Map.of()));
    repository.putManifest(reference.target(), OciManifest.MEDIA_TYPE, manifest);
    return reference.pinned(Sha256.hash(manifest));
  }

  /**
   * Downloads the adapter unless it is already in the cache. Manifests are not cached, so the
   * registry is always asked.
   *
   * @param progress receives the number of bytes downloaded, on the calling thread
   * @return the file in the cache
   * @throws NotAnAdapterException if the artifact is not one adapter
   * @throws IOException if the registry refuses or cannot be reached, or the cache cannot be
   *     written
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public OciPulled pull(Progress progress) throws IOException, InterruptedException {
    OciRepository.Stored stored = manifest();
    OciDescriptor manifest = stored.descriptor();
    if (!MANIFESTS.contains(manifest.mediaType())) {
      throw ModelPack.notAnAdapter(
          reference, "media type " + RegistryText.printable(manifest.mediaType()));
    }
    OciDescriptor adapter =
        ModelPack.adapter(
            reference, OciJson.read(stored.bytes(), OciManifest.class, "manifest " + reference));
    if (adapter.size() < 1 || adapter.size() > NolaClient.DEFAULT_MAX_FILE_SIZE) {
      throw RegistryException.broken(
          "invalid size of %s: %d bytes; must be 1 to %d"
              .formatted(reference, adapter.size(), NolaClient.DEFAULT_MAX_FILE_SIZE));
    }
    Source source = new Source(transport, repository.blobPath(adapter.digest()), "*/*", null);
    try {
      Download.Result file =
          new Download(source, cache.files(), adapter.size(), progress)
              .run(adapter.digest(), adapter.size(), null);
      if (file.downloaded()) {
        cache.evict();
      }
      return new OciPulled(
          reference.pinned(manifest.digest()), adapter.digest(), file.path(), !file.downloaded());
    } catch (ClosedByInterruptException e) {
      throw ProcessLock.interrupted(e);
    }
  }

  /** Fetches the manifest, with a remedy if it does not exist: this is a pull's first request. */
  private OciRepository.Stored manifest() throws IOException, InterruptedException {
    OciRepository.Stored stored = repository.manifestIfPresent(reference.target());
    if (stored == null) {
      throw new RegistryException(
          Kind.NOT_FOUND,
          404,
          null,
          null,
          "%s not found (private repositories need a login: docker login %s)"
              .formatted(reference, reference.host()));
    }
    return stored;
  }

  /**
   * Adds attestations to an adapter, as its referrers; existing ones are kept.
   *
   * @param pinned the adapter by the digest of its manifest, as {@link #push} returns it
   * @param attestations the attestations
   * @throws IOException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void attach(OciReference pinned, List<SignedEnvelope> attestations)
      throws IOException, InterruptedException {
    new Referrers(repository).add(repository.manifest(pinned.target()).descriptor(), attestations);
  }

  /**
   * Fetches the attestations of an adapter, which are not checked yet.
   *
   * @param pinned the adapter by the digest of its manifest, as {@link #pull} returns it
   * @return the attestations of Nola's kind
   * @throws IOException if the registry refuses or cannot be reached, or one is invalid
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public List<SignedEnvelope> attestations(OciReference pinned)
      throws IOException, InterruptedException {
    return new Referrers(repository).attestations(Sha256.parse(pinned.target()));
  }

  /** Closes the connections. */
  @Override
  public void close() {
    transport.close();
  }
}
