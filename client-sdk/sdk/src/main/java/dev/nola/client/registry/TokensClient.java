package dev.nola.client.registry;

import dev.nola.api.IssuedToken;
import dev.nola.api.Token;
import dev.nola.api.TokenRequest;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Transport;
import java.io.IOException;
import tools.jackson.core.type.TypeReference;

/** Issues tokens and describes the token in use. */
public final class TokensClient {
  private final Transport transport;

  TokensClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Issues a token. The request is never sent twice: that would issue two.
   *
   * @param request the account, the permissions and the lifetime
   * @return the token with its secret
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account may not issue such a
   *     token; of another kind if the registry refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public IssuedToken issue(TokenRequest request) throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", "/api/v1/tokens").with(Content.json(request)).once(),
        new TypeReference<>() {});
  }

  /**
   * Returns the token that this client uses: its account and its permissions.
   *
   * @return the token, without its secret
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the client has no token or the token
   *     is not valid; of another kind if the registry cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Token current() throws IOException, InterruptedException {
    return transport.json(Call.get("/api/v1/tokens/current"), new TypeReference<>() {});
  }
}
