package dev.nola.registry.hub;

import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.web.ServerAddress;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.web.servlet.support.ServletUriComponentsBuilder;
import org.springframework.web.util.UriComponentsBuilder;

/** Absolute URLs of this server, since clients of the Hub take no others. */
final class HubAddress {
  private HubAddress() {}

  /**
   * Returns the URL of a repository. It names the type, since clients before 1.0 take the segment
   * before the namespace for the type.
   */
  static String of(AdapterName adapter, HttpServletRequest request) {
    return ServerAddress.of("/hf/models/" + adapter, request);
  }

  /** Returns the URL of the page of a list that follows the one that is requested. */
  static String ofNextPage(String cursor, HttpServletRequest request) {
    UriComponentsBuilder url = ServletUriComponentsBuilder.fromRequest(request);
    return ServerAddress.withScheme(url.replaceQueryParam("cursor", cursor), request);
  }
}
