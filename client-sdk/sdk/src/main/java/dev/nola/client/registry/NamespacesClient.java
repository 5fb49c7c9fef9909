package dev.nola.client.registry;

import dev.nola.api.Namespace;
import dev.nola.api.name.NameRule;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Transport;
import java.io.IOException;
import tools.jackson.core.type.TypeReference;

/** Creates namespaces, which hold adapters, models and datasets. */
public final class NamespacesClient {
  private final Transport transport;

  NamespacesClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Creates a namespace that the caller's account owns, unless the account owns it already.
   *
   * @param namespace the namespace's name
   * @return the namespace
   * @throws IllegalArgumentException if the name breaks its rule
   * @throws RegistryException of kind {@code CONFLICT} if it belongs to another account; of another
   *     kind if the registry refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Namespace create(String namespace) throws IOException, InterruptedException {
    NameRule.NAMESPACE.require(namespace);
    return transport.json(
        Call.of("PUT", "/api/v1/namespaces/" + namespace), new TypeReference<>() {});
  }
}
