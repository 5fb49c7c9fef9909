package dev.nola.client.registry;

import dev.nola.api.AccountSummary;
import dev.nola.api.IssuedToken;
import dev.nola.api.Page;
import dev.nola.api.Token;
import dev.nola.api.TokenRequest;
import dev.nola.api.name.NameRule;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.Transport;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;

/** Issues, lists and revokes tokens, and lists the accounts that have them. */
public final class TokensClient {
  private static final String TOKENS = "/api/v1/tokens";

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
        Call.of("POST", TOKENS).with(Content.json(request)).once(), new TypeReference<>() {});
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
    return transport.json(Call.get(TOKENS + "/current"), new TypeReference<>() {});
  }

  /**
   * Lists the tokens of an account, oldest first.
   *
   * @param account the account; null for the one that this client acts for
   * @return the tokens, without their secrets
   * @throws IllegalArgumentException if the name breaks its rule
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account is another one, and the
   *     client's is not an admin
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public List<Token> list(@Nullable String account) throws IOException, InterruptedException {
    Query query =
        new Query().add("account", account == null ? null : NameRule.ACCOUNT.require(account));
    return transport.json(Call.get(TOKENS + query), new TypeReference<>() {});
  }

  /**
   * Lists the tokens of all accounts, oldest first, up to 100 at once; for admins.
   *
   * @param valid whether to list only those that are valid now
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of tokens, without their secrets
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account is not an admin
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<Token> listAll(boolean valid, @Nullable String cursor)
      throws IOException, InterruptedException {
    Query query = new Query().add("valid", valid).page(cursor);
    return transport.json(Call.get("/api/v1/admin/tokens" + query), new TypeReference<>() {});
  }

  /**
   * Lists all accounts by name, up to 100 at once; for admins.
   *
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of accounts
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account is not an admin
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<AccountSummary> accounts(@Nullable String cursor)
      throws IOException, InterruptedException {
    Query query = new Query().page(cursor);
    return transport.json(Call.get("/api/v1/admin/accounts" + query), new TypeReference<>() {});
  }

  /**
   * Revokes a token, and all that were created with it.
   *
   * @param id the token's id
   * @param keepChildren whether those that were created with it stay valid; for admins
   * @throws RegistryException of kind {@code NOT_FOUND} if the account has no such token, {@code
   *     NOT_ALLOWED} if it may not revoke it
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void revoke(UUID id, boolean keepChildren) throws IOException, InterruptedException {
    Query query = new Query().add("keepChildren", keepChildren ? true : null);
    transport.status(Call.of("DELETE", TOKENS + "/" + id + query));
  }
}
