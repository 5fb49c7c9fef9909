package dev.nola.registry.objects;

import dev.nola.api.Page;
import dev.nola.api.Violation;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.ObjectKind;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.access.Limits;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.blobs.BlobResponses;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.BodyReceiver;
import dev.nola.registry.catalog.Quota;
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
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/v1/{kind:datasets|models}")
@Tag(name = "Models and datasets")
@EnableConfigurationProperties(ObjectSettings.class)
class ObjectController {
  private static final String LIST = "objects";
  private static final String FOR_EVER = "private, max-age=31536000, immutable";
  private static final int MAX_NAMED = 10;

  private final ObjectRepository objects;
  private final BlobStore blobs;
  private final Quota quota;
  private final Access access;
  private final Limits limits;
  private final AuditLog audit;
  private final ObjectSettings settings;

  /** Takes more than six beans: an upload checks rights, limits and quota before it is stored. */
  ObjectController(
      ObjectRepository objects,
      BlobStore blobs,
      Quota quota,
      Access access,
      Limits limits,
      AuditLog audit,
      ObjectSettings settings) {
    this.objects = objects;
    this.blobs = blobs;
    this.quota = quota;
    this.access = access;
    this.limits = limits;
    this.audit = audit;
    this.settings = settings;
  }

  @PutMapping("/{namespace}/{name}/files/{digest}")
  @Operation(
      summary = "Upload a file of a model or dataset",
      description =
          "The body must have the digest. 201 if the file is new to the namespace. A file that no"
              + " manifest names within nola.catalog.collection-grace is deleted. For members of the"
              + " namespace.",
      requestBody =
          @RequestBody(
              required = true,
              content =
                  @Content(
                      mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                      schema = @Schema(type = "string", format = "binary"))),
      responses = {
        @ApiResponse(responseCode = "201", description = "Stored", content = @Content),
        @ApiResponse(responseCode = "200", description = "Already there", content = @Content)
      })
  ResponseEntity<Void> upload(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String digest,
      @Parameter(hidden = true) HttpServletRequest request,
      Caller caller)
      throws IOException {
    long namespaceId = requireMember(caller, ObjectKind.ofCollection(kind), namespace, name);
    requireName(name);
    Sha256 expected = parse(digest);
    BodyReceiver receiver =
        new BodyReceiver(
            request.getContentLengthLong(),
            settings.maxFileSize().toBytes(),
            settings.uploadTimeout(),
            bytes -> limits.countUpload(caller, bytes));
    try (BlobStore.Upload upload = blobs.begin()) {
      receiver.receive(request.getInputStream(), upload);
      Sha256 actual = upload.digest();
      if (!actual.equals(expected)) {
        throw Refusal.of(
            HttpStatus.UNPROCESSABLE_CONTENT,
            "wrong-digest",
            "wrong digest: the body has %s, the path says %s".formatted(actual, expected));
      }
      long size = upload.size();
      boolean known = objects.sizeOf(namespaceId, digest).isPresent();
      long room = known ? Long.MAX_VALUE : quota.roomOf(namespace);
      if (size > room) {
        throw Refusal.invalid(
            "quota",
            "file too large: %d bytes; the quota of namespace %s leaves %d"
                .formatted(size, namespace, Math.max(0, room)));
      }
      upload.commit(); // before the row, so that no row is without its blob
      boolean first = objects.addBlob(namespaceId, actual, size);
      return ResponseEntity.status(first ? HttpStatus.CREATED : HttpStatus.OK).build();
    }
  }

  @PutMapping("/{namespace}/{name}")
  @Transactional
  @Operation(
      summary = "Register a revision of a model or dataset",
      description =
          "201 if it is new, 200 if it was already there. Every file of a dataset must have been"
              + " uploaded; files of a model may exist on workers only. For members of the namespace.",
      responses = {
        @ApiResponse(responseCode = "201", description = "Created", useReturnTypeSchema = true),
        @ApiResponse(
            responseCode = "200",
            description = "Already there",
            useReturnTypeSchema = true)
      })
  ResponseEntity<ObjectDetails> put(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      @org.springframework.web.bind.annotation.RequestBody ObjectManifest manifest,
      @Parameter(hidden = true) HttpServletRequest request,
      Caller caller) {
    ObjectKind objectKind = ObjectKind.ofCollection(kind);
    long namespaceId = requireMember(caller, objectKind, namespace, name);
    requireName(name);
    Manifests.require(manifest, settings.maxFiles());
    List<ObjectManifest.Entry> files = manifest.sorted();
    Set<Sha256> sent = objects.sent(namespaceId, files);
    List<ObjectManifest.Entry> missing =
        files.stream().filter(file -> !sent.contains(file.digest())).toList();
    if (objectKind == ObjectKind.DATASET && !missing.isEmpty()) {
      throw missing(missing);
    }
    Sha256 revision = manifest.digest();
    String description = manifest.description() == null ? "" : manifest.description();
    boolean created =
        objects.add(
            objectKind,
            namespaceId,
            name,
            revision,
            description,
            files,
            missing.isEmpty(),
            caller.account());
    ObjectDetails details =
        objects.revision(objectKind, namespace, name, revision.toString()).orElseThrow().details();
    if (!created) {
      return ResponseEntity.ok(details);
    }
    audit.add(
        caller.account(),
        caller.tokenId(),
        objectKind.label() + ".put",
        namespace + "/" + name,
        revision.toString());
    return ResponseEntity.created(URI.create(request.getRequestURI() + "/revisions/" + revision))
        .body(details);
  }

  @GetMapping
  @Operation(
      summary = "List a namespace's models or datasets by name, each in its latest revision",
      description = "For members of the namespace, workers and admins.")
  ResponseEntity<Page<ObjectDetails>> list(
      @PathVariable String kind,
      @RequestParam String namespace,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    if (!access.seesPrivate(caller, namespace)) {
      throw Refusal.notFound("namespace " + namespace);
    }
    String after = cursor == null ? "" : Cursor.parse(cursor, LIST, 1).key().getFirst();
    return Pages.of(
        objects.page(ObjectKind.ofCollection(kind), namespace, after, Pages.fetch(limit)),
        limit,
        last -> new Cursor(LIST, List.of(last.details().name())),
        ObjectRepository.Stored::details);
  }

  @GetMapping("/{namespace}/{name}")
  @Operation(summary = "Read the latest revision of a model or dataset")
  ObjectDetails get(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      Caller caller) {
    ObjectKind objectKind = ObjectKind.ofCollection(kind);
    requireSeen(caller, objectKind, namespace, name);
    return found(objects.latest(objectKind, namespace, name), objectKind, namespace, name);
  }

  @GetMapping("/{namespace}/{name}/revisions/{revision}")
  @Operation(summary = "Read a revision of a model or dataset")
  ObjectDetails revision(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      Caller caller) {
    ObjectKind objectKind = ObjectKind.ofCollection(kind);
    requireSeen(caller, objectKind, namespace, name);
    return found(
        objects.revision(objectKind, namespace, name, revision), objectKind, namespace, name);
  }

  @GetMapping("/{namespace}/{name}/files/{digest}")
  @Operation(
      summary = "Download a file of a model or dataset",
      responses =
          @ApiResponse(
              responseCode = "200",
              content =
                  @Content(
                      mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                      schema = @Schema(type = "string", format = "binary"))))
  ResponseEntity<Resource> download(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String digest,
      Caller caller)
      throws IOException {
    requireSeen(caller, ObjectKind.ofCollection(kind), namespace, name);
    Sha256 parsed = parse(digest);
    if (access.idOf(namespace).flatMap(id -> objects.sizeOf(id, digest)).isEmpty()) {
      throw Refusal.notFound("file " + digest);
    }
    return BlobResponses.of(blobs, parsed, FOR_EVER);
  }

  private static Refusal missing(List<ObjectManifest.Entry> missing) {
    List<Violation> violations =
        missing.stream()
            .limit(MAX_NAMED)
            .map(
                file ->
                    new Violation(
                        "files",
                        "file not uploaded: %s with digest %s and %d bytes"
                            .formatted(file.path(), file.digest(), file.size())))
            .toList();
    return Refusal.invalid(violations);
  }

  private static ObjectDetails found(
      Optional<ObjectRepository.Stored> object, ObjectKind kind, String namespace, String name) {
    return object.orElseThrow(() -> absent(kind, namespace, name)).details();
  }

  private static Refusal absent(ObjectKind kind, String namespace, String name) {
    return Refusal.notFound(kind.label() + " " + namespace + "/" + name);
  }

  private void requireSeen(Caller caller, ObjectKind kind, String namespace, String name) {
    if (!access.seesPrivate(caller, namespace)) {
      throw absent(kind, namespace, name);
    }
  }

  /** The namespace's id, if the caller may add to it. */
  private long requireMember(Caller caller, ObjectKind kind, String namespace, String name) {
    return access
        .idOf(namespace)
        .filter(_ -> access.role(caller, namespace).isPresent())
        .orElseThrow(() -> absent(kind, namespace, name));
  }

  private static void requireName(String name) {
    if (!NameRule.NAME.isMet(name)) {
      throw Refusal.invalid("name", NameRule.NAME.message(name));
    }
  }

  private static Sha256 parse(String digest) {
    try {
      return Sha256.parse(digest);
    } catch (IllegalArgumentException _) {
      throw Refusal.invalid(
          "digest", "digest=" + digest + ", must be sha256: and 64 hexadecimal digits");
    }
  }
}
