package dev.nola.client.registry;

import dev.nola.api.Page;
import dev.nola.api.attestation.KeyApproval;
import dev.nola.api.attestation.KeyRevocation;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.Transport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;

/** Reads, approves and revokes the keys with which workers sign attestations. */
public final class WorkerKeysClient {
  private static final String PATH = "/api/v1/worker-keys";

  private final Transport transport;

  WorkerKeysClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Lists workers' keys, oldest first, up to 100 at once.
   *
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of keys
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<WorkerKey> list(@Nullable String cursor) throws IOException, InterruptedException {
    Query query = new Query().page(cursor);
    return transport.json(Call.get(PATH + query), new TypeReference<>() {});
  }

  /**
   * Reads a worker's key.
   *
   * @param fingerprint SHA-256 of the key
   * @return the key
   * @throws RegistryException of kind {@code NOT_FOUND} if the registry does not know the key
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public WorkerKey get(Sha256 fingerprint) throws IOException, InterruptedException {
    return transport.json(Call.get(PATH + "/" + fingerprint), new TypeReference<>() {});
  }

  /**
   * Approves a worker's key, so that its attestations count from now on; for admins.
   *
   * @param fingerprint SHA-256 of the key
   * @param expiresAt when the approval ends, or null if it does not
   * @return the approved key
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account is no admin, {@code
   *     NOT_FOUND} if the registry does not know the key; of another kind if it refuses otherwise
   *     or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public WorkerKey approve(Sha256 fingerprint, @Nullable Instant expiresAt)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("PUT", PATH + "/" + fingerprint + "/approval")
            .with(Content.json(new KeyApproval(expiresAt))),
        new TypeReference<>() {});
  }

  /**
   * Revokes a worker's key: nothing that was ever signed with it counts any more; for admins.
   *
   * @param fingerprint SHA-256 of the key
   * @param reason 1 to 500 characters, for everyone to read
   * @return the revoked key
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account is not an admin, {@code
   *     NOT_FOUND} if the registry does not know the key; of another kind if it refuses otherwise
   *     or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public WorkerKey revoke(Sha256 fingerprint, String reason)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("PUT", PATH + "/" + fingerprint + "/revocation")
            .with(Content.json(new KeyRevocation(reason))),
        new TypeReference<>() {});
  }
}
