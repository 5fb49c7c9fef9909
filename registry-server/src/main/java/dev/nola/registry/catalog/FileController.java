package dev.nola.registry.catalog;

import dev.nola.format.AdapterFile;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpRange;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.request.ServletWebRequest;

/** Hands out files. */
@RestController
@Tag(name = "Versions")
class FileController {
  private static final String FOR_EVER = "max-age=31536000, immutable";
  private static final String ASK_AGAIN = "no-cache";

  private final References references;
  private final Access access;
  private final BlobStore blobs;
  private final Downloads downloads;

  FileController(References references, Access access, BlobStore blobs, Downloads downloads) {
    this.references = references;
    this.access = access;
    this.blobs = blobs;
    this.downloads = downloads;
  }

  @GetMapping("/api/v1/adapters/{namespace}/{name}/versions/{version}/file")
  @Operation(
      summary = "Download a version's file",
      description =
          "The ETag is the file's digest. Answers If-None-Match with 304 and a Range of bytes with"
              + " 206. Repr-Digest (RFC 9530) has the digest of the whole file, Nola-Version the"
              + " number of the version, Nola-Warning why it was yanked, if it was.",
      responses = {
        @ApiResponse(
            responseCode = "200",
            content =
                @Content(
                    mediaType = AdapterFile.MEDIA_TYPE,
                    schema = @Schema(type = "string", format = "binary"))),
        @ApiResponse(responseCode = "206", content = @Content),
        @ApiResponse(responseCode = "304", content = @Content),
        @ApiResponse(responseCode = "416", content = @Content)
      })
  void download(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      @Parameter(hidden = true) HttpServletRequest request,
      @Parameter(hidden = true) HttpServletResponse response,
      Caller caller)
      throws IOException {
    References.Located located = references.find(caller, new AdapterName(namespace, name), version);
    String etag = '"' + located.digest().toString() + '"';
    describe(located, response);
    if (new ServletWebRequest(request, response).checkNotModified(etag)) {
      return;
    }
    BlobStore.Blob blob =
        blobs
            .find(located.digest())
            .orElseThrow(
                () -> new IOException("the blob " + located.digest() + " is not in the store"));
    HttpRange range = range(request, etag, located.size());
    long start = 0;
    long length = located.size();
    if (range != null) {
      start = range.getRangeStart(located.size());
      length = range.getRangeEnd(located.size()) - start + 1;
      response.setStatus(HttpStatus.PARTIAL_CONTENT.value());
      response.setHeader(
          HttpHeaders.CONTENT_RANGE,
          "bytes " + start + "-" + (start + length - 1) + "/" + located.size());
    }
    response.setContentType(AdapterFile.MEDIA_TYPE);
    response.setContentLengthLong(length);
    if (request.getMethod().equals(HttpMethod.HEAD.name())) {
      return;
    }
    if (start == 0) {
      downloads.count(located); // a download that is resumed counts once
    }
    try (InputStream bytes = blob.open(start, length)) {
      bytes.transferTo(response.getOutputStream());
    }
  }

  private void describe(References.Located located, HttpServletResponse response) {
    response.setHeader(
        HttpHeaders.CACHE_CONTROL,
        (access.isOpen() && !located.isPrivate() ? "public, " : "private, ")
            + (located.pinned() ? FOR_EVER : ASK_AGAIN));
    response.setHeader(HttpHeaders.ACCEPT_RANGES, "bytes");
    response.setHeader(
        "Repr-Digest",
        "sha-256=:" + Base64.getEncoder().encodeToString(located.digest().toBytes()) + ":");
    response.setHeader("Nola-Version", located.version());
    response.setHeader(
        HttpHeaders.CONTENT_DISPOSITION,
        "attachment; filename=\"%s-%s.nola\""
            .formatted(located.adapter().name(), located.version()));
    if (located.yankReason() != null) {
      // Percent-encoded: a reason may have any characters, a header may not.
      response.setHeader(
          "Nola-Warning",
          "yanked: "
              + URLEncoder.encode(located.yankReason(), StandardCharsets.UTF_8)
                  .replace("+", "%20"));
    }
  }

  /** The range to send, or null for the whole file. */
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
      return null; // several would need a multipart answer, which nobody has to give
    }
    HttpRange range = ranges.getFirst();
    if (range.getRangeStart(size) >= size) {
      throw Refusal.of(
          HttpStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
          "range",
          "Range: %s begins behind the end of the file, which has %d bytes"
              .formatted(header, size));
    }
    return range;
  }
}
