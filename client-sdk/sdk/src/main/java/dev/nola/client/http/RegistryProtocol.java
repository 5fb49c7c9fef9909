package dev.nola.client.http;

import dev.nola.client.RegistryException;
import java.io.IOException;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/** How a kind of registry authorizes requests, and how its refusals read. */
public interface RegistryProtocol {
  /**
   * Returns the registry's normalized URL.
   *
   * @return the URL
   */
  URI registry();

  /**
   * Returns the current authorization, which is sent to the registry's own origin only.
   *
   * @return the value of the header {@code Authorization}, or null for anonymous access
   */
  @Nullable String authorization();

  /**
   * Obtains the authorization that a registry requires, so that the request can be sent again.
   *
   * @param challenge an answer of the registry's own origin with status 401, which the caller
   *     closes
   * @return false if no other authorization can be obtained
   * @throws CredentialsException if the user's login cannot be read
   * @throws RegistryException if it cannot be obtained; without a status, so that the request is
   *     not retried
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  boolean meet(Answer challenge) throws IOException, InterruptedException;

  /**
   * Describes a refusal.
   *
   * @param call the request that was refused
   * @param answer the answer, which the caller closes
   * @param route names the proxy on the way to the registry; empty without one
   * @return what was refused, with the registry's reason and a remedy
   * @throws InterruptedException if the thread is interrupted while the body is read
   */
  RegistryException refusal(Call call, Answer answer, String route) throws InterruptedException;
}
