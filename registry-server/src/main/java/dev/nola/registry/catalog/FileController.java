package dev.nola.registry.catalog;

import dev.nola.format.AdapterFile;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobResponses;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpRange;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.request.ServletWebRequest;

/** Endpoint to download version files. */
@RestController
@Tag(name = "Versions")
class FileController {
  private static final String FOR_EVER = "max-age=31536000, immutable";
  private static final String ASK_AGAIN = "no-cache";

  private final ReferenceResolver references;
  private final Access access;
  private final BlobReader blobs;
  private final DownloadCounter downloads;

  FileController(
      ReferenceResolver references, Access access, BlobReader blobs, DownloadCounter downloads) {
    this.references = references;
    this.access = access;
    this.blobs = blobs;
    this.downloads = downloads;
  }

  @GetMapping("/api/v1/adapters/{namespace}/{name}/versions/{version}/file")
  @Operation(
      summary = "Download a version's file",
      description =
          "The ETag is the file's digest. Supports If-None-Match (304) and a Range of bytes (206, or"
              + " 416 if it starts past the end)."
              + " Headers: Repr-Digest (RFC 9530), the digest of the whole file; Nola-Version, the"
              + " version's number; Nola-Warning, why the version was yanked, if it was; Nola-Disputed,"
              + " true if a worker attests other bits, which nothing has confirmed or refuted yet.",
      responses = {
        @ApiResponse(
            responseCode = "200",
            content =
                @Content(
                    mediaType = AdapterFile.MEDIA_TYPE,
                    schema = @Schema(type = "string", format = "binary"))),
        @ApiResponse(
            responseCode = "206",
            content =
                @Content(
                    mediaType = AdapterFile.MEDIA_TYPE,
                    schema = @Schema(type = "string", format = "binary"))),
        @ApiResponse(responseCode = "304", content = @Content)
      })
  ResponseEntity<Resource> download(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      @Parameter(hidden = true) ServletWebRequest request,
      Caller caller)
      throws IOException {
    ReferenceResolver.Located located =
        references.find(caller, new AdapterName(namespace, name), version);
    long size = located.size();
    String etag = '"' + located.digest().toString() + '"';
    HttpHeaders headers = headers(located);
    if (request.checkNotModified(etag)) {
      int status = Objects.requireNonNull(request.getResponse()).getStatus();
      return ResponseEntity.status(status).headers(headers).build();
    }
    BlobStore.Blob blob = blobs.get(located.digest());
    HttpRange range = range(request.getRequest(), etag, size);
    ResponseEntity.BodyBuilder response =
        ResponseEntity.ok()
            .headers(headers)
            .contentType(MediaType.parseMediaType(AdapterFile.MEDIA_TYPE));
    if (request.getHttpMethod() == HttpMethod.HEAD) {
      return range == null ? response.contentLength(size).build() : head(headers, range, size);
    }
    if (range == null || range.getRangeStart(size) == 0) {
      downloads.count(located); // a download that is resumed counts once
    }
    return range == null
        ? response.contentLength(size).body(BlobResponses.whole(blob))
        : response.body(BlobResponses.ranged(blob));
  }

  private static ResponseEntity<Resource> head(HttpHeaders headers, HttpRange range, long size) {
    long start = range.getRangeStart(size);
    long end = range.getRangeEnd(size);
    return ResponseEntity.status(HttpStatus.PARTIAL_CONTENT)
        .headers(headers)
        .contentType(MediaType.parseMediaType(AdapterFile.MEDIA_TYPE))
        .contentLength(end - start + 1)
        .header(HttpHeaders.CONTENT_RANGE, "bytes %d-%d/%d".formatted(start, end, size))
        .build();
  }

  private HttpHeaders headers(ReferenceResolver.Located located) {
    HttpHeaders headers = new HttpHeaders();
    headers.set(
        HttpHeaders.CACHE_CONTROL,
        (access.isOpen() && !located.isPrivate() ? "public, " : "private, ")
            + (located.pinned() ? FOR_EVER : ASK_AGAIN));
    headers.set(HttpHeaders.ACCEPT_RANGES, "bytes");
    headers.set(
        "Repr-Digest",
        "sha-256=:" + Base64.getEncoder().encodeToString(located.digest().toBytes()) + ":");
    headers.set("Nola-Version", located.version());
    headers.set(
        HttpHeaders.CONTENT_DISPOSITION,
        "attachment; filename=\"%s-%s.nola\""
            .formatted(located.adapter().name(), located.version()));
    if (located.disputed()) {
      headers.set("Nola-Disputed", "true");
    }
    if (located.yankReason() != null) {
      // Percent-encoded: a reason may have any characters, a header may not.
      headers.set(
          "Nola-Warning",
          "yanked: "
              + URLEncoder.encode(located.yankReason(), StandardCharsets.UTF_8)
                  .replace("+", "%20"));
    }
    return headers;
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
