package dev.nola.client.registry;

import dev.nola.api.attestation.VerificationReport;
import dev.nola.api.attestation.VerificationRequest;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Transport;
import java.io.IOException;
import java.util.UUID;
import tools.jackson.core.type.TypeReference;

/** Asks workers to verify versions that were published before; for admins. */
public final class VerificationsClient {
  private static final String PATH = "/api/v1/verifications";

  private final Transport transport;

  VerificationsClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Requests verifications. The request is never sent twice: that would ask for twice as many.
   *
   * @param request which versions, backends and copies
   * @return the report, which is not finished yet
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public VerificationReport request(VerificationRequest request)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", PATH).with(Content.json(request)).once(), new TypeReference<>() {});
  }

  /**
   * Reads the report of a request.
   *
   * @param id id of the request
   * @return the report as of now
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public VerificationReport report(UUID id) throws IOException, InterruptedException {
    return transport.json(Call.get(PATH + "/" + id), new TypeReference<>() {});
  }
}
