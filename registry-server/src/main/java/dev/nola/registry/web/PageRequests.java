package dev.nola.registry.web;

import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;

/** Tells requests of the pages from those of the API. */
public final class PageRequests {
  private static final List<String> API =
      List.of(
          "/api", "/hf", "/v2", "/v3", "/actuator", "/swagger-ui", "/swagger-ui.html", "/error");

  private PageRequests() {}

  /**
   * Returns whether a path is one of the pages, existing or not.
   *
   * @param request the request
   * @return whether it is; else it is one of the API
   */
  public static boolean isPage(HttpServletRequest request) {
    return isPage(request.getServletPath());
  }

  /**
   * Returns whether a path is one of the pages, existing or not.
   *
   * @param path of a request
   * @return whether it is; else it is one of the API
   */
  public static boolean isPage(String path) {
    return API.stream().noneMatch(api -> path.equals(api) || path.startsWith(api + "/"));
  }

  /**
   * Returns whether the response to a request is shown by a browser.
   *
   * @param request the request
   * @return whether it accepts HTML by name
   */
  public static boolean wantsHtml(HttpServletRequest request) {
    String accept = request.getHeader(HttpHeaders.ACCEPT);
    return accept != null && accept.contains(MediaType.TEXT_HTML_VALUE);
  }

  /**
   * Returns whether htmx makes a request, to replace a part of the page.
   *
   * @param request the request
   * @return whether it does
   */
  public static boolean isPartial(HttpServletRequest request) {
    return request.getHeader("HX-Request") != null;
  }
}
