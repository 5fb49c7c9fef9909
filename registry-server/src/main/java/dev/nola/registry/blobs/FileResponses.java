package dev.nola.registry.blobs;

import dev.nola.registry.web.Refusal;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.Resource;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpRange;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.context.request.ServletWebRequest;

/**
 * Answers requests for a file: with all of it, a range, its headers, where it is, or that it is
 * unchanged.
 */
public final class FileResponses {
  private FileResponses() {}

  /**
   * What is known of a file without its bytes.
   *
   * @param tag entity tag, without quotes
   * @param size in bytes
   * @param type of the content
   * @param headers of the response, beside those that follow from the other components
   */
  public record Description(String tag, long size, MediaType type, HttpHeaders headers) {}

  /** Finds the bytes of a file. */
  @FunctionalInterface
  public interface Source {
    /**
     * Finds them.
     *
     * @return the bytes
     * @throws IOException if they cannot be read
     */
    BlobStore.Blob find() throws IOException;

    /**
     * Finds a URL from which the client can read the bytes without this server.
     *
     * @return the URL, or empty if the bytes are sent
     * @throws IOException if the store cannot be asked
     */
    default Optional<URI> link() throws IOException {
      return Optional.empty();
    }
  }

  /**
   * Returns the response to a GET or HEAD.
   *
   * @param request may have conditions, and a range
   * @param file that is requested
   * @param source of its bytes; not asked if the client has them
   * @param started called if bytes from the first one on are sent: a download that is resumed
   *     starts once
   * @return the response
   * @throws Refusal with status 416 if the range starts past the end
   * @throws IOException if the bytes cannot be read
   */
  public static ResponseEntity<Resource> of(
      ServletWebRequest request, Description file, Source source, Runnable started)
      throws IOException {
    HttpHeaders headers = new HttpHeaders(file.headers());
    headers.set(HttpHeaders.ACCEPT_RANGES, "bytes");
    String etag = '"' + file.tag() + '"';
    if (request.checkNotModified(etag)) {
      int status = Objects.requireNonNull(request.getResponse()).getStatus();
      return ResponseEntity.status(status).headers(headers).build();
    }
    HttpRange range = range(request.getRequest(), etag, file.size());
    boolean isStart = range == null || range.getRangeStart(file.size()) == 0;
    if (request.getHttpMethod() == HttpMethod.GET
        && source.link().orElse(null) instanceof URI url) {
      if (isStart) {
        started.run();
      }
      return ResponseEntity.status(HttpStatus.TEMPORARY_REDIRECT)
          .headers(headers)
          .cacheControl(CacheControl.noStore()) // it ends long before the file does
          .location(url)
          .build();
    }
    BlobStore.Blob blob = source.find();
    headers.setContentType(file.type());
    ResponseEntity.BodyBuilder response = ResponseEntity.ok().headers(headers);
    if (request.getHttpMethod() == HttpMethod.HEAD) {
      return range == null
          ? response.contentLength(file.size()).build()
          : head(headers, range, file.size());
    }
    if (isStart) {
      started.run();
    }
    return range == null
        ? response.contentLength(file.size()).body(BlobResponses.whole(blob))
        : response.body(BlobResponses.ranged(blob));
  }

  private static ResponseEntity<Resource> head(HttpHeaders headers, HttpRange range, long size) {
    long start = range.getRangeStart(size);
    long end = range.getRangeEnd(size);
    return ResponseEntity.status(HttpStatus.PARTIAL_CONTENT)
        .headers(headers)
        .contentLength(end - start + 1)
        .header(HttpHeaders.CONTENT_RANGE, "bytes %d-%d/%d".formatted(start, end, size))
        .build();
  }

  /** Returns the range to send, or null for the whole file. */
  private static @Nullable HttpRange range(HttpServletRequest request, String etag, long size) {
    String header = request.getHeader(HttpHeaders.RANGE);
    String condition = request.getHeader(HttpHeaders.IF_RANGE);
    if (header == null || (condition != null && !condition.equals(etag))) {
      return null;
    }
    List<HttpRange> ranges;
    try {
      ranges = HttpRange.parseRanges(header);
    } catch (IllegalArgumentException _) {
      return null; // RFC 9110, 14.2: a range that is not understood is ignored
    }
    if (ranges.size() != 1) {
      return null; // several would need a multipart answer, which is optional
    }
    HttpRange range = ranges.getFirst();
    if (range.getRangeStart(size) >= size) {
      throw Refusal.of(
          HttpStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
          "range",
          "Range starts past the end of the file (%d bytes): %s".formatted(size, header));
    }
    return range;
  }
}
