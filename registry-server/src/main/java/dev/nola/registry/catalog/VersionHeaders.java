package dev.nola.registry.catalog;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;

/** Headers of responses with files of a version: how long to keep them, and warnings. */
@Component
public class VersionHeaders {
  private static final String FOR_EVER = "max-age=31536000, immutable";
  private static final String ASK_AGAIN = "no-cache";

  private final AdapterAccess adapters;

  VersionHeaders(AdapterAccess adapters) {
    this.adapters = adapters;
  }

  /**
   * Returns the headers.
   *
   * @param version that the response is about
   * @return headers, to which more may be added
   */
  public HttpHeaders of(ReferenceResolver.Located version) {
    return headers(version, version.pinned());
  }

  /**
   * Returns the headers of a file that may change although the version cannot.
   *
   * @param version that the response is about
   * @return headers, to which more may be added
   */
  public HttpHeaders ofChanging(ReferenceResolver.Located version) {
    return headers(version, false);
  }

  private HttpHeaders headers(ReferenceResolver.Located version, boolean immutable) {
    HttpHeaders headers = new HttpHeaders();
    headers.set(
        HttpHeaders.CACHE_CONTROL,
        (adapters.seenWithoutToken(version.isPrivate()) ? "public, " : "private, ")
            + (immutable ? FOR_EVER : ASK_AGAIN));
    headers.set("Nola-Version", version.version());
    if (version.disputed()) {
      headers.set("Nola-Disputed", "true");
    }
    if (version.yankReason() != null) {
      // Percent-encoded: a reason may have any characters, a header may not.
      headers.set(
          "Nola-Warning",
          "yanked: "
              + URLEncoder.encode(version.yankReason(), StandardCharsets.UTF_8)
                  .replace("+", "%20"));
    }
    return headers;
  }
}
