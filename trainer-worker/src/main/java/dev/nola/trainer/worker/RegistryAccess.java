package dev.nola.trainer.worker;

import dev.nola.client.RegistryUrl;
import java.net.URI;

/**
 * How a worker reaches its registry.
 *
 * @param url address of the registry
 * @param token token of scope worker
 * @param allowPlainHttp whether the token and private files may be sent to another machine over
 *     plain HTTP, in a network that encrypts by itself
 */
public record RegistryAccess(URI url, String token, boolean allowPlainHttp) {

  /**
   * Checks the address.
   *
   * @throws IllegalArgumentException if the token would be sent unencrypted without consent
   */
  public RegistryAccess {
    if (!allowPlainHttp && !RegistryUrl.isPrivate(url)) {
      throw new IllegalArgumentException(
          "a token for %s would cross the network unencrypted; use https, or --allow-plain-http in a network that encrypts by itself"
              .formatted(url));
    }
  }

  /** Omits the token. */
  @Override
  public String toString() {
    return url.toString();
  }
}
