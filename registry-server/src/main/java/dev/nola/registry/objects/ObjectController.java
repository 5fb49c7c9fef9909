package dev.nola.registry.objects;

import dev.nola.api.Page;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.ObjectKind;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobResponses;
import dev.nola.registry.web.BinaryBody;
import dev.nola.registry.web.BinaryResponse;
import dev.nola.registry.web.CreatedOrPresent;
import dev.nola.registry.web.MaxBody;
import dev.nola.registry.web.Pages;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints for models and datasets and their files. */
@RestController
@RequestMapping("/api/v1/{kind:datasets|models}")
@Tag(name = "Models and datasets")
class ObjectController {
  private static final String FOREVER = "private, max-age=31536000, immutable";

  private final ObjectService objects;
  private final ObjectFiles files;
  private final BlobReader blobs;

  ObjectController(ObjectService objects, ObjectFiles files, BlobReader blobs) {
    this.objects = objects;
    this.files = files;
    this.blobs = blobs;
  }

  @PutMapping("/{namespace}/{name}/files/{digest}")
  @Operation(
      summary = "Upload a file of a model or dataset",
      description =
          "The body must have the digest. 201 if the file is new to the namespace. A file that no"
              + " manifest names within nola.catalog.collection-grace is deleted. For members of the"
              + " namespace.")
  @BinaryBody
  @ApiResponse(responseCode = "201", description = "Stored", content = @Content)
  @ApiResponse(responseCode = "200", description = "Already there", content = @Content)
  ResponseEntity<Void> upload(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String digest,
      @Parameter(hidden = true) HttpServletRequest request,
      Caller caller)
      throws IOException {
    boolean created =
        files.receive(
            caller,
            object(kind, namespace, name),
            digest,
            request.getContentLengthLong(),
            request.getInputStream());
    return ResponseEntity.status(created ? HttpStatus.CREATED : HttpStatus.OK).build();
  }

  @PutMapping("/{namespace}/{name}")
  @Operation(
      summary = "Register a revision of a model or dataset",
      description =
          "201 if it is new, 200 if it was already there. Every file of a dataset must have been"
              + " uploaded; files of a model may exist on workers only. For members of the namespace.")
  @CreatedOrPresent
  @MaxBody(megabytes = 16)
  ResponseEntity<ObjectDetails> put(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      @RequestBody ObjectManifest manifest,
      @Parameter(hidden = true) HttpServletRequest request,
      Caller caller) {
    ObjectService.Registered registered =
        objects.put(caller, object(kind, namespace, name), manifest);
    ObjectDetails details = registered.details();
    return registered.created()
        ? ResponseEntity.created(
                URI.create(request.getRequestURI() + "/revisions/" + details.revision()))
            .body(details)
        : ResponseEntity.ok(details);
  }

  @GetMapping
  @Operation(
      summary = "List a namespace's models or datasets by name, each in its latest revision",
      description = "For members of the namespace, workers and admins; empty for others.")
  ResponseEntity<Page<ObjectDetails>> list(
      @PathVariable String kind,
      @RequestParam String namespace,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    return objects.list(caller, ObjectKind.ofCollection(kind), namespace, limit, cursor);
  }

  @GetMapping("/{namespace}/{name}")
  @Operation(summary = "Read the latest revision of a model or dataset")
  ObjectDetails get(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      Caller caller) {
    return objects.latest(caller, object(kind, namespace, name));
  }

  @GetMapping("/{namespace}/{name}/revisions/{revision}")
  @Operation(summary = "Read a revision of a model or dataset")
  ObjectDetails revision(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      Caller caller) {
    return objects.revision(caller, object(kind, namespace, name), revision);
  }

  @GetMapping("/{namespace}/{name}/files/{digest}")
  @Operation(summary = "Download a file of a model or dataset")
  @BinaryResponse
  ResponseEntity<Resource> download(
      @PathVariable String kind,
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String digest,
      Caller caller)
      throws IOException {
    Sha256 blob = files.find(caller, object(kind, namespace, name), digest);
    return BlobResponses.of(blobs, blob, FOREVER);
  }

  private static ObjectName object(String collection, String namespace, String name) {
    return new ObjectName(ObjectKind.ofCollection(collection), namespace, name);
  }
}
