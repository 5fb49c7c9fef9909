package dev.nola.client.http;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.util.Optional;

/**
 * A response whose body is still to be read; the receiver closes it.
 *
 * @param status the HTTP status
 * @param headers the response's headers
 * @param body the response's body
 * @param url the URL that sent it, after redirections
 * @param isFromRegistry whether the registry's own origin sent it; false after a redirection to
 *     another origin, whose challenges are ignored
 */
public record Answer(int status, HttpHeaders headers, Body body, URI url, boolean isFromRegistry)
    implements AutoCloseable {
  private static final int NOT_MODIFIED = 304;

  /**
   * Tells whether the caller has the current content already (status 304).
   *
   * @return true if it has
   */
  public boolean isNotModified() {
    return status == NOT_MODIFIED;
  }

  /** Tells whether the response brings what was asked for, or says that the caller has it. */
  boolean isSuccess() {
    return status / 100 == 2 || isNotModified();
  }

  /**
   * Returns a header's first value.
   *
   * @param name the header's name
   * @return the value, or empty
   */
  public Optional<String> header(String name) {
    return headers.firstValue(name);
  }

  @Override
  public void close() {
    body.close();
  }
}
