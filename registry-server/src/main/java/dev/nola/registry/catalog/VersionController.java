package dev.nola.registry.catalog;

import dev.nola.api.Page;
import dev.nola.api.VersionDetails;
import dev.nola.api.VersionSummary;
import dev.nola.api.Visibility;
import dev.nola.api.YankRequest;
import dev.nola.format.AdapterFile;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.CreatedOrPresent;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints to publish, read, yank and delete versions. */
@RestController
@RequestMapping(VersionController.PATH)
@Tag(name = "Versions")
class VersionController {
  static final String PATH = "/api/v1/adapters/{namespace}/{name}/versions";
  static final String VERSION = PATH + "/{version}";

  private final Publisher publishing;
  private final VersionChanges changes;
  private final VersionReader versions;

  VersionController(Publisher publishing, VersionChanges changes, VersionReader versions) {
    this.publishing = publishing;
    this.changes = changes;
    this.versions = versions;
  }

  @PostMapping(
      path = "/{version}",
      consumes = {AdapterFile.MEDIA_TYPE, MediaType.APPLICATION_OCTET_STREAM_VALUE})
  @Operation(
      summary = "Publish a version",
      description =
          "The body is the .nola file. 201 if it is new, 200 if the same bytes are already published"
              + " under this number, 409 if other bytes are. For members of the namespace.",
      requestBody =
          @RequestBody(
              required = true,
              content = @Content(schema = @Schema(type = "string", format = "binary"))))
  @CreatedOrPresent
  ResponseEntity<VersionSummary> publish(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      @Parameter(description = "Visibility of a new adapter; public by default.")
          @RequestParam(required = false)
          @Nullable Visibility visibility,
      @Parameter(hidden = true) HttpServletRequest request,
      Caller caller)
      throws IOException {
    String encoding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
    if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
      throw Refusal.of(
          HttpStatus.UNSUPPORTED_MEDIA_TYPE,
          "encoded",
          "Content-Encoding not supported: " + encoding + "; send the file unencoded");
    }
    AdapterName adapter = new AdapterName(namespace, name);
    Publisher.Published published =
        publishing.publish(
            caller,
            new Publisher.Target(adapter, version, visibility),
            request.getContentLengthLong(),
            request.getInputStream());
    if (!published.created()) {
      return ResponseEntity.ok(published.version());
    }
    return ResponseEntity.created(URI.create(request.getRequestURI())).body(published.version());
  }

  @GetMapping
  @Operation(
      summary = "List an adapter's versions, highest first",
      description = "Includes yanked versions.")
  ResponseEntity<Page<VersionSummary>> list(
      @PathVariable String namespace,
      @PathVariable String name,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    return versions.list(caller, new AdapterName(namespace, name), limit, cursor);
  }

  @GetMapping("/{version}")
  @Operation(
      summary = "Read a version",
      description =
          "By number, latest, an alias, a range such as ^1.2, or the file's digest as sha256:HEX."
              + " Supports If-None-Match (304).",
      responses = {
        @ApiResponse(
            responseCode = "200",
            content =
                @Content(
                    mediaType = MediaType.APPLICATION_JSON_VALUE,
                    schema = @Schema(implementation = VersionDetails.class))),
        @ApiResponse(responseCode = "304", content = @Content)
      })
  ResponseEntity<byte[]> get(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      Caller caller) {
    return versions.document(caller, new AdapterName(namespace, name), version).toResponse();
  }

  @PutMapping("/{version}/yank")
  @Operation(
      summary = "Yank a version",
      description =
          "latest and ranges skip it; by number, digest or alias it can still be downloaded, with a"
              + " warning. For members of the namespace.")
  VersionSummary yank(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      @org.springframework.web.bind.annotation.RequestBody YankRequest request,
      Caller caller) {
    return changes.yank(caller, new AdapterName(namespace, name), version, request.reason());
  }

  @DeleteMapping("/{version}/yank")
  @Operation(summary = "Undo a yank", description = "For members of the namespace.")
  VersionSummary unyank(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      Caller caller) {
    return changes.unyank(caller, new AdapterName(namespace, name), version);
  }

  @DeleteMapping("/{version}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(
      summary = "Delete a version permanently",
      description =
          "Its number cannot be reused, and its aliases are removed. Its file is deleted by the next"
              + " garbage collection, unless another version has the same file. For admins.")
  void delete(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      Caller caller) {
    changes.delete(caller, new AdapterName(namespace, name), version);
  }
}
