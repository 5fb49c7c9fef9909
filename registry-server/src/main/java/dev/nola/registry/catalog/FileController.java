package dev.nola.registry.catalog;

import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.FileResponses;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.io.IOException;
import java.net.URI;
import java.util.Base64;
import java.util.Objects;
import java.util.Optional;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpHeaders;
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
  static final String PATH = "/api/v1/adapters/{namespace}/{name}/versions/{version}/file";

  private static final MediaType FILE = MediaType.parseMediaType(AdapterFile.MEDIA_TYPE);

  private final ReferenceResolver references;
  private final VersionHeaders headers;
  private final BlobReader blobs;
  private final DownloadCounter downloads;
  private final PublicFiles files;

  FileController(
      ReferenceResolver references,
      VersionHeaders headers,
      BlobReader blobs,
      DownloadCounter downloads,
      PublicFiles files) {
    this.references = references;
    this.headers = headers;
    this.blobs = blobs;
    this.downloads = downloads;
    this.files = files;
  }

  @GetMapping(PATH)
  @Operation(
      summary = "Download a version's file",
      description =
          "The ETag is the file's digest. Supports If-None-Match (304) and a Range of bytes (206, or"
              + " 416 if it starts past the end). A registry that keeps files in S3 may redirect (307)"
              + " to a URL there, which is valid for a short time and takes no token."
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
        @ApiResponse(responseCode = "304", content = @Content),
        @ApiResponse(responseCode = "307", content = @Content)
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
    HttpHeaders all = headers.of(located);
    all.set(
        "Repr-Digest",
        "sha-256=:" + Base64.getEncoder().encodeToString(located.digest().toBytes()) + ":");
    String disposition =
        "attachment; filename=\"%s-%s.nola\""
            .formatted(located.adapter().name(), located.version());
    all.set(HttpHeaders.CONTENT_DISPOSITION, disposition);
    ResponseEntity<Resource> answer =
        FileResponses.of(
            request,
            new FileResponses.Description(located.digest().toString(), located.size(), FILE, all),
            new VersionFile(located.digest(), disposition),
            () -> downloads.count(located));
    return PublicVersionFilter.isPlain(request.getRequest())
            && answer.getStatusCode() == HttpStatus.OK
            && located.size() <= PublicFiles.LARGEST
        ? kept(located, answer)
        : answer;
  }

  private ResponseEntity<Resource> kept(
      ReferenceResolver.Located located, ResponseEntity<Resource> answer) throws IOException {
    byte[] bytes = Objects.requireNonNull(answer.getBody()).getContentAsByteArray();
    HttpHeaders headers = new HttpHeaders(answer.getHeaders());
    headers.setETag('"' + located.digest().toString() + '"');
    files.keep(located, KeptAnswer.of(headers, bytes));
    return ResponseEntity.ok().headers(answer.getHeaders()).body(new ByteArrayResource(bytes));
  }

  private final class VersionFile implements FileResponses.Source {
    private final Sha256 digest;
    private final String disposition;

    VersionFile(Sha256 digest, String disposition) {
      this.digest = digest;
      this.disposition = disposition;
    }

    @Override
    public BlobStore.Blob find() throws IOException {
      return blobs.get(digest);
    }

    @Override
    public Optional<URI> link() throws IOException {
      return blobs.link(digest, AdapterFile.MEDIA_TYPE, disposition);
    }
  }
}
