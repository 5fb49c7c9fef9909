package dev.nola.client.http;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request to a registry.
 *
 * @param method the HTTP method
 * @param path the encoded path after the registry's URL; or, if the registry named another place, a
 *     whole URL
 * @param headers the request's headers
 * @param content the body, or null for none
 * @param repeatable whether sending it twice has the same effect as sending it once
 */
public record Call(
    String method,
    String path,
    Map<String, String> headers,
    @Nullable Content content,
    boolean repeatable) {
  private static final String ACCEPT = "Accept";

  /** Copies the headers. */
  public Call {
    headers = Map.copyOf(headers);
  }

  /**
   * Creates a GET request for JSON.
   *
   * @param path the encoded path after the registry's URL
   * @return the request
   */
  public static Call get(String path) {
    return of("GET", path);
  }

  /**
   * Creates a request without a body that expects JSON.
   *
   * @param method the HTTP method
   * @param path the encoded path after the registry's URL
   * @return the request
   */
  public static Call of(String method, String path) {
    return new Call(method, path, Map.of(ACCEPT, "application/json"), null, true);
  }

  /**
   * Returns the same request with a body.
   *
   * @param body the body
   * @return the new request
   */
  public Call with(Content body) {
    return new Call(method, path, headers, body, repeatable);
  }

  /**
   * Returns the same request with other headers.
   *
   * @param otherHeaders the headers
   * @return the new request
   */
  public Call with(Map<String, String> otherHeaders) {
    return new Call(method, path, otherHeaders, content, repeatable);
  }

  /**
   * Returns the same request for another media type.
   *
   * @param mediaType the media type to accept
   * @return the new request
   */
  public Call accepting(String mediaType) {
    return with(Map.of(ACCEPT, mediaType));
  }

  /**
   * Returns the same request, marked never to be sent twice.
   *
   * @return the new request
   */
  public Call once() {
    return new Call(method, path, headers, content, false);
  }

  /** Tells whether the path is a whole URL. */
  boolean isElsewhere() {
    return !path.startsWith("/");
  }

  @Override
  public String toString() {
    return method + " " + (isElsewhere() ? RegistryText.place(path) : path);
  }
}
