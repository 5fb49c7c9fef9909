package dev.nola.registry.catalog;

import dev.nola.api.Comparison;
import dev.nola.api.Contents;
import dev.nola.api.Page;
import dev.nola.api.VersionDetails;
import dev.nola.api.VersionSummary;
import dev.nola.api.Visibility;
import dev.nola.api.YankRequest;
import dev.nola.api.name.VersionNumber;
import dev.nola.format.AdapterFile;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Cursor;
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
import java.time.Clock;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/v1/adapters/{namespace}/{name}/versions")
@Tag(name = "Versions")
class VersionController {
  private static final String KIND = "versions";
  private static final String ABOVE_ALL = "~";
  private static final int MAX_REASON = 500;

  private final Publishing publishing;
  private final References references;
  private final Adapters adapters;
  private final VersionRepository versions;
  private final AliasRepository aliases;
  private final ContentsStore contents;
  private final ApplicationEventPublisher events;
  private final Clock clock;

  VersionController(
      Publishing publishing,
      References references,
      Adapters adapters,
      VersionRepository versions,
      AliasRepository aliases,
      ContentsStore contents,
      ApplicationEventPublisher events,
      Clock clock) {
    this.publishing = publishing;
    this.references = references;
    this.adapters = adapters;
    this.versions = versions;
    this.aliases = aliases;
    this.contents = contents;
    this.events = events;
    this.clock = clock;
  }

  @PostMapping(
      path = "/{version}",
      consumes = {AdapterFile.MEDIA_TYPE, MediaType.APPLICATION_OCTET_STREAM_VALUE})
  @Operation(
      summary = "Publish a version",
      description =
          "The body is the .nola file. 201 if it is new, 200 if the same bytes are published under"
              + " this number already, 409 if others are. For members of the namespace.",
      requestBody =
          @RequestBody(
              required = true,
              content = @Content(schema = @Schema(type = "string", format = "binary"))),
      responses = {
        @ApiResponse(responseCode = "201", description = "Published", useReturnTypeSchema = true),
        @ApiResponse(
            responseCode = "200",
            description = "The same bytes are published already",
            useReturnTypeSchema = true)
      })
  ResponseEntity<VersionSummary> publish(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      @Parameter(description = "Of an adapter that this makes; public if left out.")
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
          "Content-Encoding: " + encoding + " is not taken; send the file as it is");
    }
    AdapterName adapter = new AdapterName(namespace, name);
    Publishing.Published published =
        publishing.publish(
            caller,
            new Publishing.Target(adapter, version, visibility),
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
      description = "Yanked ones, too.")
  ResponseEntity<Page<VersionSummary>> list(
      @PathVariable String namespace,
      @PathVariable String name,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    AdapterEntity adapter = adapters.see(caller, new AdapterName(namespace, name));
    String below = cursor == null ? ABOVE_ALL : Cursor.parse(cursor, KIND, 1).key().getFirst();
    return Pages.of(
        versions.page(adapter.id(), below, Pages.fetch(limit)),
        limit,
        last -> new Cursor(KIND, List.of(last.precedence)),
        VersionEntity::summary);
  }

  @GetMapping("/{version}")
  @Operation(
      summary = "Read a version",
      description =
          "By number, latest, an alias, a range such as ^1.2, or the file's digest as sha256:HEX.")
  ResponseEntity<VersionDetails> get(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      Caller caller) {
    References.Located located = references.find(caller, new AdapterName(namespace, name), version);
    VersionEntity found =
        versions
            .findById(located.versionId())
            .orElseThrow(() -> Refusal.notFound("version " + version));
    Contents file = contents.get(found.id());
    return ResponseEntity.ok(
        new VersionDetails(
            namespace,
            name,
            found.version,
            found.digest(),
            found.size,
            Comparison.of(file, found.size),
            found.verification,
            found.verifiedAt,
            found.attestations(),
            found.yank(),
            aliases.ofVersion(found.id()).stream().map(alias -> alias.key.name()).toList(),
            found.downloads,
            found.publishedBy,
            found.publishedAt,
            file));
  }

  @PutMapping("/{version}/yank")
  @Transactional
  @Operation(
      summary = "Yank a version",
      description =
          "latest and ranges pass it over; by number, digest or alias it is still there, with a"
              + " warning. For members of the namespace.")
  VersionSummary yank(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      @org.springframework.web.bind.annotation.RequestBody YankRequest request,
      Caller caller) {
    if (request.reason().isBlank() || request.reason().length() > MAX_REASON) {
      throw Refusal.invalid(
          "reason",
          "reason has %d characters, must have 1 to %d"
              .formatted(request.reason().length(), MAX_REASON));
    }
    AdapterName adapter = new AdapterName(namespace, name);
    VersionEntity found = lock(caller, adapter, version);
    found.yankedAt = clock.instant();
    found.yankedBy = caller.account();
    found.yankReason = request.reason();
    return changed(caller, adapter, found, "version.yank", request.reason());
  }

  @DeleteMapping("/{version}/yank")
  @Transactional
  @Operation(summary = "Take a yank back", description = "For members of the namespace.")
  VersionSummary unyank(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    VersionEntity found = lock(caller, adapter, version);
    found.yankedAt = null;
    found.yankedBy = null;
    found.yankReason = null;
    return changed(caller, adapter, found, "version.unyank", "");
  }

  @DeleteMapping("/{version}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Transactional
  @Operation(
      summary = "Delete a version for good",
      description =
          "Its number stays used, and aliases to it are removed; its file goes with the next"
              + " garbage collection, unless another version has the same. For admins.")
  void delete(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    VersionEntity found = lock(caller, adapter, version);
    for (AliasEntity alias : aliases.ofVersion(found.id())) {
      aliases.delete(alias);
      aliases.note(found.adapterId, alias.key.name(), null, caller.account(), clock.instant());
    }
    found.deletedAt = clock.instant();
    changed(caller, adapter, found, "version.delete", found.digest);
    events.publishEvent(new VersionDeleted(adapter, found.version));
  }

  private VersionEntity lock(Caller caller, AdapterName adapter, String version) {
    long adapterId = adapters.lock(caller, adapter).id();
    return VersionNumber.find(version)
        .flatMap(number -> versions.findByAdapterIdAndPrecedence(adapterId, number.precedence()))
        .filter(found -> found.version.equals(version) && found.deletedAt == null)
        .orElseThrow(() -> Refusal.notFound("version " + version + " of " + adapter));
  }

  private VersionSummary changed(
      Caller caller, AdapterName adapter, VersionEntity version, String action, String detail) {
    versions.saveAndFlush(version); // the listing is renewed by SQL, which must see it
    adapters.changed(
        adapter, version.adapterId, caller, action, adapter + "@" + version.version, detail);
    return version.summary();
  }
}
