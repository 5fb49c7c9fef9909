package dev.nola.client.registry;

import dev.nola.api.Alias;
import dev.nola.api.AliasChange;
import dev.nola.api.AliasRequest;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Transport;
import java.io.IOException;
import java.util.List;
import tools.jackson.core.type.TypeReference;

/** Points names such as {@code prod} to versions of adapters. */
public final class AliasesClient {
  private final Transport transport;

  AliasesClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Points an alias to a version; creates the alias if it does not exist.
   *
   * @param adapter the adapter's name
   * @param alias the alias to create or move
   * @param version the exact version number
   * @return the alias
   * @throws IllegalArgumentException if the alias breaks a rule, or the version is not a version
   *     number
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account may not publish here,
   *     {@code NOT_FOUND} if the registry has no such version; of another kind if it refuses
   *     otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Alias set(AdapterName adapter, String alias, String version)
      throws IOException, InterruptedException {
    NameRule.VERSION.require(version);
    return transport.json(
        Call.of("PUT", Paths.alias(adapter, alias)).with(Content.json(new AliasRequest(version))),
        new TypeReference<>() {});
  }

  /**
   * Removes an alias; its history stays.
   *
   * @param adapter the adapter's name
   * @param alias the alias to remove
   * @throws IllegalArgumentException if the alias breaks a rule
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account may not publish here,
   *     {@code NOT_FOUND} if the registry has no such alias; of another kind if it refuses
   *     otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void remove(AdapterName adapter, String alias) throws IOException, InterruptedException {
    // Not repeatable: the second time there would be no such alias.
    transport.status(Call.of("DELETE", Paths.alias(adapter, alias)).once());
  }

  /**
   * Returns the versions to which an alias has pointed, latest first.
   *
   * @param adapter the adapter's name
   * @param alias the alias
   * @return the changes
   * @throws IllegalArgumentException if the alias breaks a rule
   * @throws RegistryException of kind {@code NOT_FOUND} if the registry has no such alias, or the
   *     account may not see it; of another kind if it refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public List<AliasChange> history(AdapterName adapter, String alias)
      throws IOException, InterruptedException {
    return transport.json(
        Call.get(Paths.alias(adapter, alias) + "/history"), new TypeReference<>() {});
  }
}
