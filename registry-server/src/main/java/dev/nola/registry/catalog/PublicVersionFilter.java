package dev.nola.registry.catalog;

import dev.nola.registry.access.Limits;
import dev.nola.registry.web.Refusal;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.security.web.header.HeaderWriter;
import org.springframework.security.web.header.writers.XContentTypeOptionsHeaderWriter;
import org.springframework.security.web.header.writers.XXssProtectionHeaderWriter;
import org.springframework.security.web.header.writers.frameoptions.XFrameOptionsHeaderWriter;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.filter.ServerHttpObservationFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;

/**
 * Repeats the answers to requests for versions of public adapters: details that {@link
 * VersionReader} keeps, and files that {@link PublicFiles} keeps. It stands before Spring Security
 * and Spring MVC, which take most of the time of a small answer, and so only takes requests without
 * a token, a condition or a range. They are counted and limited like all others.
 */
@Component
@Order(PublicVersionFilter.ORDER)
final class PublicVersionFilter extends OncePerRequestFilter {
  /** After request ids and metrics, before sessions and Spring Security. */
  static final int ORDER = Ordered.HIGHEST_PRECEDENCE + 10;

  /** Without escapes and parameters, about which Spring Security decides. */
  private static final Pattern PATH =
      Pattern.compile("/api/v1/adapters/([^/%;]+)/([^/%;]+)/versions/([^/%;]+)(/file)?");

  private static final List<String> SPECIAL =
      List.of(
          HttpHeaders.AUTHORIZATION,
          HttpHeaders.RANGE,
          HttpHeaders.IF_NONE_MATCH,
          HttpHeaders.IF_MATCH,
          HttpHeaders.IF_MODIFIED_SINCE,
          HttpHeaders.IF_UNMODIFIED_SINCE);

  /** Those that Spring Security adds to every response. */
  private static final List<HeaderWriter> SECURITY =
      List.of(
          new XContentTypeOptionsHeaderWriter(),
          new XXssProtectionHeaderWriter(),
          new XFrameOptionsHeaderWriter());

  private final ReferenceResolver references;
  private final VersionReader versions;
  private final PublicFiles files;
  private final Limits limits;
  private final DownloadCounter downloads;
  private final HandlerExceptionResolver problems;

  PublicVersionFilter(
      ReferenceResolver references,
      VersionReader versions,
      PublicFiles files,
      Limits limits,
      DownloadCounter downloads,
      @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
    this.references = references;
    this.versions = versions;
    this.files = files;
    this.limits = limits;
    this.downloads = downloads;
    this.problems = problems;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    Matcher path = PATH.matcher(request.getRequestURI());
    ReferenceResolver.Located version =
        isPlain(request) && path.matches()
            ? references
                .knownPublic(new AdapterName(path.group(1), path.group(2)), path.group(3))
                .orElse(null)
            : null;
    if (version == null) {
      chain.doFilter(request, response);
      return;
    }
    boolean isFile = path.group(4) != null;
    KeptAnswer answer =
        (isFile ? files.find(version) : versions.keptDocument(version)).orElse(null);
    if (answer == null) {
      chain.doFilter(request, response);
      return;
    }
    ServerHttpObservationFilter.findObservationContext(request)
        .ifPresent(
            context ->
                context.setPathPattern(isFile ? FileController.PATH : VersionController.VERSION));
    try {
      limits.countAnonymous(request);
    } catch (Refusal refused) {
      problems.resolveException(request, response, null, refused);
      return;
    }
    if (isFile) {
      downloads.count(version);
    }
    send(answer, request, response);
  }

  private static void send(
      KeptAnswer answer, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    SECURITY.forEach(writer -> writer.writeHeaders(request, response));
    answer.headers().forEach(header -> response.addHeader(header.name(), header.value()));
    response.setContentLength(answer.body().length);
    response.getOutputStream().write(answer.body());
  }

  /** Returns whether the answer depends on nothing but the address. */
  static boolean isPlain(HttpServletRequest request) {
    return request.getMethod().equals(HttpMethod.GET.name())
        && request.getQueryString() == null
        && SPECIAL.stream().allMatch(header -> request.getHeader(header) == null);
  }
}
