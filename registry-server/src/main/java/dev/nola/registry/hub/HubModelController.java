package dev.nola.registry.hub;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.ReferenceResolver;
import dev.nola.registry.web.IgnoresUnknownParameters;
import io.swagger.v3.oas.annotations.Hidden;
import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.util.MultiValueMap;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * Endpoints that describe repositories. Not in the OpenAPI document, since the protocol is that of
 * the Hugging Face Hub, for its clients.
 */
@RestController
@RequestMapping("/hf/api/models/{namespace}/{name}")
@Hidden
@IgnoresUnknownParameters
class HubModelController {
  private final RepositoryFinder repositories;
  private final RepositoryTable table;

  HubModelController(RepositoryFinder repositories, RepositoryTable table) {
    this.repositories = repositories;
    this.table = table;
  }

  /**
   * An entry of a tree.
   *
   * @param type {@code file}
   * @param oid id of its blob in Git
   * @param size in bytes
   * @param path of the file
   * @param lfs null for a small file
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record TreeEntry(String type, String oid, long size, String path, @Nullable Lfs lfs) {
    /** What a large file is. */
    record Lfs(String oid, long size, int pointerSize) {}

    static TreeEntry of(RepositoryFile file) {
      Lfs lfs =
          file instanceof RepositoryFile.Large large
              ? new Lfs(large.digest().hex(), large.size(), large.pointer().length)
              : null;
      return new TreeEntry("file", file.id(), file.size(), file.path(), lfs);
    }
  }

  /** A branch or tag. */
  record Ref(String name, String ref, String targetCommit) {}

  /** All branches and tags: of each version its number, and of each alias its name. */
  record Refs(List<Ref> branches, List<Ref> converts, List<Ref> tags) {}

  /** The request for some entries of a tree. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Paths(List<String> paths) {}

  @GetMapping
  ModelInfo latest(
      @PathVariable String namespace,
      @PathVariable String name,
      @RequestParam(defaultValue = "false") boolean blobs,
      Caller caller)
      throws IOException {
    return get(namespace, name, RepositoryFinder.MAIN, blobs, caller);
  }

  @GetMapping("/revision/{revision}")
  ModelInfo get(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      @RequestParam(defaultValue = "false") boolean blobs,
      Caller caller)
      throws IOException {
    AdapterName adapter = new AdapterName(namespace, name);
    Optional<ReferenceResolver.Located> version = repositories.version(caller, adapter, revision);
    if (version.isEmpty()) {
      return created(adapter, revision)
          .orElseThrow(() -> HubErrors.revisionNotFound(adapter, revision));
    }
    HubRepository repository = repositories.read(caller, version.get());
    List<ModelInfo.Sibling> siblings =
        repository.files().stream().map(file -> ModelInfo.Sibling.of(file, blobs)).toList();
    return ModelInfo.of(repository, table.read(repository.version()), siblings);
  }

  /** Describes an adapter that has no version yet, as clients ask before they push the first. */
  private Optional<ModelInfo> created(AdapterName adapter, String revision) {
    return RepositoryFinder.isLatest(revision) ? table.findCreated(adapter) : Optional.empty();
  }

  @GetMapping({"/tree/{revision}", "/tree/{revision}/{*path}"})
  List<TreeEntry> tree(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      @PathVariable(required = false) @Nullable String path,
      Caller caller)
      throws IOException {
    HubRepository repository =
        repositories.find(caller, new AdapterName(namespace, name), revision);
    String folder = path == null ? "" : path.substring(1);
    if (!folder.isEmpty()) {
      throw HubErrors.entryNotFound(folder, repository); // there are no folders
    }
    return repository.files().stream().map(TreeEntry::of).toList();
  }

  @PostMapping(
      path = "/paths-info/{revision}",
      consumes = MediaType.APPLICATION_FORM_URLENCODED_VALUE)
  List<TreeEntry> pathsOfForm(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      @RequestParam MultiValueMap<String, String> form,
      Caller caller)
      throws IOException {
    return entries(namespace, name, revision, form.getOrDefault("paths", List.of()), caller);
  }

  @PostMapping(path = "/paths-info/{revision}", consumes = MediaType.APPLICATION_JSON_VALUE)
  List<TreeEntry> paths(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      @RequestBody Paths wanted,
      Caller caller)
      throws IOException {
    return entries(namespace, name, revision, wanted.paths(), caller);
  }

  private List<TreeEntry> entries(
      String namespace, String name, String revision, Collection<String> paths, Caller caller)
      throws IOException {
    Set<String> wanted = new HashSet<>(paths);
    return repositories.find(caller, new AdapterName(namespace, name), revision).files().stream()
        .filter(file -> wanted.contains(file.path()))
        .map(TreeEntry::of)
        .toList();
  }

  @GetMapping("/refs")
  Refs refs(@PathVariable String namespace, @PathVariable String name, Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    List<Ref> branches =
        repositories.version(caller, adapter, RepositoryFinder.MAIN).stream()
            .map(latest -> ref("heads", RepositoryFinder.MAIN, latest.digest()))
            .toList();
    List<Ref> tags =
        table.names(adapter).stream()
            .map(version -> ref("tags", version.name(), version.digest()))
            .toList();
    return new Refs(branches, List.of(), tags);
  }

  private static Ref ref(String kind, String name, Sha256 digest) {
    return new Ref(name, "refs/" + kind + "/" + name, ReferenceResolver.commit(digest));
  }
}
