package dev.nola.registry.hub;

import dev.nola.registry.catalog.AdapterName;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.web.servlet.support.ServletUriComponentsBuilder;
import org.springframework.web.util.UriComponentsBuilder;

/** Absolute URLs of this server, since clients of the Hub take no others. */
final class HubAddress {
  private static final String TLS = "https";

  private HubAddress() {}

  /**
   * Returns the URL of a repository. It names the type, since clients before 1.0 take the segment
   * before the namespace for the type.
   */
  static String of(AdapterName adapter, HttpServletRequest request) {
    UriComponentsBuilder url = ServletUriComponentsBuilder.fromContextPath(request);
    return withScheme(url.path("/hf/models/" + adapter), request);
  }

  /** Returns the URL of the page of a list that follows the one that is requested. */
  static String ofNextPage(String cursor, HttpServletRequest request) {
    UriComponentsBuilder url = ServletUriComponentsBuilder.fromRequest(request);
    return withScheme(url.replaceQueryParam("cursor", cursor), request);
  }

  /**
   * A proxy that ends TLS sends a header; any other client that sends it gets a URL with TLS, too,
   * and so sends no token in clear.
   */
  private static String withScheme(UriComponentsBuilder url, HttpServletRequest request) {
    if (TLS.equalsIgnoreCase(request.getHeader("X-Forwarded-Proto"))) {
      url.scheme(TLS);
    }
    return url.build().toUriString();
  }
}
