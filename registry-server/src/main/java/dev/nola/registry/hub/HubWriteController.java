package dev.nola.registry.hub;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.nola.api.Visibility;
import dev.nola.api.name.VersionNumber;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.AdapterService;
import dev.nola.registry.catalog.AliasService;
import dev.nola.registry.web.IgnoresUnknownParameters;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints that create repositories, and publish versions as commits to them. */
@RestController
@RequestMapping("/hf/api")
@Hidden
@IgnoresUnknownParameters
class HubWriteController {
  private static final String MODEL = "model";
  private static final Set<String> PULL_REQUEST = Set.of("1", "true", "True");

  /** A header that the Hub's clients print: a topic, a semicolon, and a text. */
  private static final String WARNING = "X-HF-Warning";

  private final AdapterService adapters;
  private final AliasService aliases;
  private final RepositoryFinder repositories;
  private final CommitService commits;

  HubWriteController(
      AdapterService adapters,
      AliasService aliases,
      RepositoryFinder repositories,
      CommitService commits) {
    this.adapters = adapters;
    this.aliases = aliases;
    this.repositories = repositories;
    this.commits = commits;
  }

  /**
   * A repository to be created.
   *
   * @param name of the adapter
   * @param organization its namespace
   * @param type null for a model
   * @param isPrivate visibility as older clients state it
   * @param visibility {@code public} or {@code private}, as newer clients state it
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record NewRepository(
      String name,
      @Nullable String organization,
      @Nullable String type,
      @JsonProperty("private") @Nullable Boolean isPrivate,
      @Nullable String visibility) {}

  /**
   * A repository.
   *
   * @param url absolute
   * @param name with its namespace
   * @param id the same
   * @param error why it was not created, or null
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Repository(String url, String name, String id, @Nullable String error) {}

  /** A model card, with its head in YAML. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Card(String content) {}

  /** What is wrong with a model card. */
  record Findings(List<Finding> errors, List<Finding> warnings) {}

  /** A sentence for the user. */
  record Finding(String message) {}

  /** The files of a commit to come. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Announcement(List<Announced> files) {}

  /** A file of a commit to come. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Announced(String path) {}

  /** How the files of a commit are to be sent. */
  record Modes(List<Mode> files) {}

  /**
   * How a file is to be sent.
   *
   * @param path of the file
   * @param uploadMode {@code regular}: within the commit
   * @param shouldIgnore false
   */
  record Mode(String path, String uploadMode, boolean shouldIgnore) {}

  /**
   * A commit that was made.
   *
   * @param success true
   * @param commitOid 40 hex digits
   * @param commitUrl absolute
   */
  record Commit(boolean success, String commitOid, String commitUrl) {}

  /** A tag to be created. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record NewTag(String tag) {}

  @PostMapping("/repos/create")
  ResponseEntity<Repository> create(
      @RequestBody NewRepository repository, HttpServletRequest request, Caller caller) {
    if (repository.type() != null && !repository.type().equals(MODEL)) {
      throw Refusal.invalid(
          "type", "repository type not supported: %s; must be model".formatted(repository.type()));
    }
    if (repository.organization() == null) {
      throw Refusal.invalid(
          "organization",
          "repository without a namespace: %s; must be namespace/name, such as acme/%s"
              .formatted(repository.name(), repository.name()));
    }
    AdapterName adapter = new AdapterName(repository.organization(), repository.name());
    boolean created = adapters.create(caller, adapter, visibility(repository));
    String url = HubAddress.of(adapter, request);
    String id = adapter.toString();
    // With exist_ok, clients read the URL of this refusal.
    return created
        ? ResponseEntity.ok(new Repository(url, id, id, null))
        : ResponseEntity.status(HttpStatus.CONFLICT)
            .body(new Repository(url, id, id, "adapter " + id + " exists"));
  }

  private static Visibility visibility(NewRepository repository) {
    if (repository.visibility() == null) {
      return Boolean.TRUE.equals(repository.isPrivate()) ? Visibility.PRIVATE : Visibility.PUBLIC;
    }
    return switch (repository.visibility()) {
      case "private" -> Visibility.PRIVATE;
      case "public" -> Visibility.PUBLIC;
      default ->
          throw Refusal.invalid(
              "visibility",
              "invalid visibility: %s; must be public or private"
                  .formatted(repository.visibility()));
    };
  }

  /** Warns that a card is not kept, before anything is sent. */
  @PostMapping("/validate-yaml")
  Findings validate(@RequestBody Card card) {
    return new Findings(
        List.of(),
        List.of(
            new Finding(
                "the registry does not keep this README.md: it writes its own, from the adapter's metadata")));
  }

  @PostMapping("/models/{namespace}/{name}/preupload/{revision}")
  Modes announce(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      @RequestParam(name = "create_pr", required = false) @Nullable String pullRequest,
      @RequestBody Announcement commit,
      Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    commits.requireWritable(caller, adapter);
    requireMain(adapter, revision, pullRequest);
    commit.files().forEach(file -> CommitFile.of(file.path()));
    return new Modes(
        commit.files().stream().map(file -> new Mode(file.path(), "regular", false)).toList());
  }

  @PostMapping("/models/{namespace}/{name}/commit/{revision}")
  ResponseEntity<Commit> commit(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      @RequestParam(name = "create_pr", required = false) @Nullable String pullRequest,
      HttpServletRequest request,
      Caller caller)
      throws IOException {
    AdapterName adapter = new AdapterName(namespace, name);
    requireMain(adapter, revision, pullRequest);
    CommitService.Committed committed =
        commits.commit(caller, adapter, request.getContentLengthLong(), request.getInputStream());
    ResponseEntity.BodyBuilder answer = ResponseEntity.ok();
    committed.warnings().forEach(text -> answer.header(WARNING, "nola; " + text));
    String url = HubAddress.of(adapter, request) + "/commit/" + committed.commit();
    return answer.body(new Commit(true, committed.commit(), url));
  }

  @PostMapping("/models/{namespace}/{name}/tag/{revision}")
  void tag(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String revision,
      @RequestBody NewTag tag,
      Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    commits.requireWritable(caller, adapter);
    String version = repositories.existing(caller, adapter, revision).version();
    if (tag.tag().equals(version)) {
      return; // refs have each version's number as a tag
    }
    if (VersionNumber.isValid(tag.tag())) {
      throw Refusal.invalid(
          "tag",
          "tag cannot be a version number: %s; %s is %s, and a version keeps its number: nola.yaml in the commit states it"
              .formatted(tag.tag(), revision, version));
    }
    aliases.add(caller, adapter, tag.tag(), version);
  }

  private static void requireMain(
      AdapterName adapter, String revision, @Nullable String pullRequest) {
    if (pullRequest != null && PULL_REQUEST.contains(pullRequest)) {
      throw Refusal.invalid(
          "create_pr", "pull request not supported; commit to main, which publishes a version");
    }
    if (!revision.equals(RepositoryFinder.MAIN)) {
      throw Refusal.invalid(
          "revision",
          "cannot commit to revision %s of %s; a commit to main publishes the next version, or the one that nola.yaml states"
              .formatted(revision, adapter));
    }
  }
}
