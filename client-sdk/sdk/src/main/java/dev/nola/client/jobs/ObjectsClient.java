package dev.nola.client.jobs;

import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Transport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
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
    transport.status(
        Call.of("PUT", path(kind, name) + "/files/" + digest).with(Content.file(BYTES, file)));
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
    ObjectManifest manifest = Manifests.of(folder, about);
    for (ObjectManifest.Entry entry : manifest.files()) {
      upload(kind, name, entry.digest(), folder.resolve(entry.path()));
    }
    return register(kind, name, manifest);
  }

  /**
   * Reads the latest revision, or the one that is named: {@code namespace/name[@sha256:…]}.
   *
   * @param kind model or dataset
   * @param reference {@code namespace/name[@sha256:…]}
   * @return the revision
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
                + reference.substring(separator + 1).toLowerCase(Locale.ROOT);
    return transport.json(Call.get(path), new TypeReference<>() {});
  }

  static String path(ObjectKind kind, String name) {
    return "/api/v1/" + kind.collection() + "/" + name;
  }
}
