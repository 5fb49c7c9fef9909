package dev.nola.client.jobs;

import dev.nola.api.Page;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.Transport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;

/** Uploads the models and datasets that jobs name, and describes them. */
public final class ObjectsClient {
  private static final String BYTES = "application/octet-stream";

  private final Transport transport;

  /**
   * Creates the client; applications get it from a {@code NolaClient}.
   *
   * @param transport sends the requests
   */
  public ObjectsClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Uploads a file of a model or dataset, unless it is there.
   *
   * @param kind model or dataset
   * @param name {@code namespace/name}
   * @param digest SHA-256 of the file
   * @param file the file
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void upload(ObjectKind kind, String name, Sha256 digest, Path file)
      throws IOException, InterruptedException {
    put(kind, name, digest, Content.file(BYTES, file));
  }

  private void put(ObjectKind kind, String name, Sha256 digest, Content content)
      throws IOException, InterruptedException {
    transport.status(Call.of("PUT", path(kind, name) + "/files/" + digest).with(content));
  }

  /**
   * Registers a revision, whose files are uploaded or, of a model, are held by workers.
   *
   * @param kind model or dataset
   * @param name {@code namespace/name}
   * @param manifest the revision's files
   * @return the revision
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public ObjectDetails register(ObjectKind kind, String name, ObjectManifest manifest)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("PUT", path(kind, name)).with(Content.json(manifest)), new TypeReference<>() {});
  }

  /**
   * Uploads a folder's files, and registers them.
   *
   * @param kind model or dataset
   * @param name {@code namespace/name}
   * @param folder the folder
   * @param about a description, or null
   * @return the revision
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public ObjectDetails upload(ObjectKind kind, String name, Path folder, @Nullable String about)
      throws IOException, InterruptedException {
    return upload(kind, name, folder, Manifests.of(folder, about), Progress.NONE);
  }

  /**
   * Uploads the files of a manifest, except those of the latest revision, and registers them.
   *
   * @param kind model or dataset
   * @param name {@code namespace/name}
   * @param folder the folder of the files
   * @param manifest the files
   * @param progress receives the bytes sent so far and those of all files, on another thread
   * @return the revision
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public ObjectDetails upload(
      ObjectKind kind, String name, Path folder, ObjectManifest manifest, Progress progress)
      throws IOException, InterruptedException {
    Set<Sha256> present = stored(kind, name);
    long total = manifest.files().stream().mapToLong(ObjectManifest.Entry::size).sum();
    long sent = 0;
    for (ObjectManifest.Entry entry : manifest.files()) {
      if (present.add(entry.digest())) {
        long before = sent;
        Path file = folder.resolve(entry.path());
        Progress part = (done, _) -> progress.at(before + done, total);
        put(kind, name, entry.digest(), Content.file(BYTES, file, part));
      }
      sent += entry.size();
      progress.at(sent, total);
    }
    return register(kind, name, manifest);
  }

  /**
   * Returns the digests of the latest revision's files; none if the registry does not store them.
   *
   * @return a set that may be changed
   */
  private Set<Sha256> stored(ObjectKind kind, String name)
      throws IOException, InterruptedException {
    Set<Sha256> digests = new HashSet<>();
    try {
      ObjectDetails latest = get(kind, name);
      if (latest.stored()) {
        latest.files().forEach(entry -> digests.add(entry.digest()));
      }
    } catch (RegistryException e) {
      if (e.kind() != RegistryException.Kind.NOT_FOUND) {
        throw e;
      }
    }
    return digests;
  }

  /**
   * Lists a namespace's models or datasets by name, each in its latest revision, up to 100 at once.
   *
   * @param kind models or datasets
   * @param namespace their namespace
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of revisions
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<ObjectDetails> list(ObjectKind kind, String namespace, @Nullable String cursor)
      throws IOException, InterruptedException {
    Query query = new Query().add("namespace", NameRule.NAMESPACE.require(namespace)).page(cursor);
    return transport.json(
        Call.get("/api/v1/" + kind.collection() + query), new TypeReference<>() {});
  }

  /**
   * Reads the latest revision, or the one that is named: {@code namespace/name[@sha256:…]}.
   *
   * @param kind model or dataset
   * @param reference {@code namespace/name[@sha256:…]}
   * @return the revision
   * @throws IllegalArgumentException if the reference has another form
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public ObjectDetails get(ObjectKind kind, String reference)
      throws IOException, InterruptedException {
    int separator = reference.indexOf('@');
    String path =
        separator < 0
            ? path(kind, reference)
            : path(kind, reference.substring(0, separator))
                + "/revisions/"
                + Sha256.parse(reference.substring(separator + 1).toLowerCase(Locale.ROOT));
    return transport.json(Call.get(path), new TypeReference<>() {});
  }

  /**
   * Checks the name of a model or dataset.
   *
   * @param kind model or dataset
   * @param name {@code namespace/name}
   * @throws IllegalArgumentException if the name breaks a rule
   */
  public static void requireName(ObjectKind kind, String name) {
    int slash = name.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException(
          "invalid %s: %s; must be NAMESPACE/NAME, such as acme/%s"
              .formatted(kind.label(), name, name.isEmpty() ? kind.label() : name));
    }
    NameRule.NAMESPACE.require(name.substring(0, slash));
    NameRule.NAME.require(name.substring(slash + 1));
  }

  static String path(ObjectKind kind, String name) {
    requireName(kind, name);
    return "/api/v1/" + kind.collection() + "/" + name;
  }
}
