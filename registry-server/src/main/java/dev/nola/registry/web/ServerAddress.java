package dev.nola.registry.web;

import jakarta.servlet.http.HttpServletRequest;
import org.springframework.web.servlet.support.ServletUriComponentsBuilder;
import org.springframework.web.util.UriComponentsBuilder;

/** The address by which a client reaches this server, for what it shows or sends as a whole URL. */
public final class ServerAddress {
  private static final String TLS = "https";

  private ServerAddress() {}

  /**
   * Returns the address of a path.
   *
   * @param path on this server
   * @param request of the client
   * @return the URL, with the scheme of {@link #withScheme}
   */
  public static String of(String path, HttpServletRequest request) {
    return withScheme(ServletUriComponentsBuilder.fromContextPath(request).path(path), request);
  }

  /**
   * Completes a URL. A proxy that ends TLS sends a header; any other client that sends it gets a
   * URL with TLS, too, and so sends no token in clear.
   *
   * @param url of this server
   * @param request of the client
   * @return the URL
   */
  public static String withScheme(UriComponentsBuilder url, HttpServletRequest request) {
    if (TLS.equalsIgnoreCase(request.getHeader("X-Forwarded-Proto"))) {
      url.scheme(TLS);
    }
    return url.build().toUriString();
  }
}
