package dev.nola.registry.hub;

import dev.nola.registry.catalog.AdapterName;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.web.servlet.support.ServletUriComponentsBuilder;

/** Where a client finds a repository, as an absolute URL: clients of the Hub take no other. */
final class HubAddress {
  private static final String TLS = "https";

  private HubAddress() {}

  /**
   * Returns the URL of a repository. It names the type, since clients before 1.0 take what precedes
   * the namespace for it. A proxy that ends TLS says so by a header; anyone else who sends it gets
   * a link to TLS, too, and so no token in clear.
   */
  static String of(AdapterName adapter, HttpServletRequest request) {
    ServletUriComponentsBuilder builder = ServletUriComponentsBuilder.fromContextPath(request);
    if (TLS.equalsIgnoreCase(request.getHeader("X-Forwarded-Proto"))) {
      builder.scheme(TLS);
    }
    return builder.path("/hf/models/" + adapter).build().toUriString();
  }
}
