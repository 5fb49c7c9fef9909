package dev.nola.registry.hub;

import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.access.Limits;
import dev.nola.registry.blobs.BlobContent;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.BodyReceiver;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.AdapterService;
import dev.nola.registry.catalog.Publisher;
import dev.nola.registry.catalog.ReferenceResolver;
import dev.nola.registry.data.DataDirectory;
import dev.nola.registry.web.Refusal;
import jakarta.annotation.PostConstruct;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;

/**
 * Makes versions of commits. Files that a version cannot contain are refused, or named in a
 * warning; none is dropped silently.
 */
@Service
@EnableConfigurationProperties(HubSettings.class)
class CommitService {
  private static final String FOLDER = "commits";
  private static final int BUFFER = 64 * 1024;
  private static final Duration ABANDONED = Duration.ofDays(1);

  private final AdapterService adapters;
  private final RepositoryFinder repositories;
  private final CommitImport imports;
  private final Publisher publisher;
  private final BlobStore blobs;
  private final Limits limits;
  private final HubSettings settings;
  private final Path folder;

  /** Takes more than six beans: a commit is received, compared, imported and published. */
  CommitService(
      AdapterService adapters,
      RepositoryFinder repositories,
      CommitImport imports,
      Publisher publisher,
      BlobStore blobs,
      Limits limits,
      HubSettings settings,
      DataDirectory data) {
    this.adapters = adapters;
    this.repositories = repositories;
    this.imports = imports;
    this.publisher = publisher;
    this.blobs = blobs;
    this.limits = limits;
    this.settings = settings;
    this.folder = data.resolve(FOLDER);
  }

  /**
   * The result of a commit.
   *
   * @param commit 40 hex digits of the version's file
   * @param warnings what was not kept
   */
  record Committed(String commit, List<String> warnings) {
    /** Copies the list. */
    Committed {
      warnings = List.copyOf(warnings);
    }
  }

  /**
   * A commit to be published.
   *
   * @param caller in whose name
   * @param adapter of the version
   * @param parent the latest version; null if the adapter has none
   * @param files of the commit
   * @param settings of the commit
   */
  private record Change(
      Caller caller,
      AdapterName adapter,
      @Nullable HubRepository parent,
      CommitFolder files,
      CommitSettings settings) {
    /** Returns the files that make another version; with a number for it, all of them do. */
    Set<CommitFile> changed() throws IOException {
      return parent == null || settings.version() != null
          ? files.files()
          : files.changed(parent.files());
    }
  }

  /**
   * Requires that the caller may commit to a repository.
   *
   * @param caller of the request
   * @param adapter whose repository it is
   * @throws Refusal with status 404 if it does not exist or the caller may not see it, 403 if it
   *     may only do that
   */
  void requireWritable(Caller caller, AdapterName adapter) {
    try {
      adapters.requirePublisher(caller, adapter);
    } catch (Refusal refusal) {
      throw refusal.isNotFound() ? HubErrors.repositoryNotFound(refusal) : refusal;
    }
  }

  /**
   * Publishes a commit as the next version of an adapter, unless it changes nothing.
   *
   * @param caller in whose name it is published
   * @param adapter of the version
   * @param length of the body as declared, or -1
   * @param body JSON objects, one a line
   * @return the version's commit, new or not
   * @throws Refusal if the caller may not, or the commit breaks a rule
   * @throws IOException if the body cannot be received or kept
   */
  Committed commit(Caller caller, AdapterName adapter, long length, InputStream body)
      throws IOException {
    requireWritable(caller, adapter);
    BodyReceiver receiver =
        new BodyReceiver(
            length,
            settings.maxCommitSize().toBytes(),
            settings.uploadTimeout(),
            bytes -> limits.countUpload(caller, bytes));
    try (BlobStore.Upload received = blobs.begin()) {
      receiver.receive(body, received);
      CommitBody commit = CommitBody.read(received::open);
      HubRepository parent = repositories.latest(caller, adapter).orElse(null);
      requireParent(commit.parentCommit(), parent);
      try (CommitFolder files = CommitFolder.create(DataDirectory.createPrivate(folder), commit)) {
        return publish(new Change(caller, adapter, parent, files, files.settings()));
      }
    }
  }

  /** Removes what a server that was killed left of commits. */
  @PostConstruct
  void removeAbandoned() throws IOException {
    CommitFolder.removeOlder(folder, Instant.now().minus(ABANDONED));
  }

  private static void requireParent(@Nullable String wanted, @Nullable HubRepository parent) {
    if (wanted != null && (parent == null || !parent.commit().equals(wanted))) {
      throw Refusal.of(
          HttpStatus.PRECONDITION_FAILED,
          "changed-meanwhile",
          "parent commit is not the latest: %s; the latest is %s"
              .formatted(wanted, parent == null ? "none" : parent.commit()));
    }
  }

  private Committed publish(Change change) throws IOException {
    CommitFolder files = change.files();
    Set<CommitFile> changed = change.changed();
    List<String> warnings =
        changed.stream()
            .filter(CommitFile::isReplaced)
            .map(file -> file.path() + " was not kept: the registry writes its own")
            .toList();
    HubRepository parent = change.parent();
    if (parent != null && changed.stream().noneMatch(CommitFile::isOfAdapter)) {
      if (!changed.isEmpty() && files.files().stream().noneMatch(CommitFile::isOfAdapter)) {
        throw withoutAdapter(changed);
      }
      return new Committed(parent.commit(), warnings);
    }
    if (!changed.contains(CommitFile.ADAPTER)) {
      if (changed.stream().noneMatch(CommitFile::isOfAdapter)) {
        throw withoutAdapter(changed);
      }
      imports.makeAdapter(change.caller(), parent, files, change.settings().importBits());
    } else if (changed.contains(CommitFile.CONFIG) || changed.contains(CommitFile.WEIGHTS)) {
      throw Refusal.invalid(
          "path",
          "commit has both a .nola file and a LoRA of PEFT; a version has one of them: leave the other out");
    } else if (change.settings().bits() != null) {
      throw Refusal.invalid(
          "bits",
          "nola.yaml: bits is for a LoRA of PEFT; the codes of a .nola file stay as they are");
    }
    return new Committed(publishAdapter(change), warnings);
  }

  private String publishAdapter(Change change) throws IOException {
    try (BlobStore.Upload upload = blobs.begin();
        InputStream in = Files.newInputStream(change.files().path(CommitFile.ADAPTER))) {
      byte[] buffer = new byte[BUFFER];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        upload.write(buffer, 0, n);
      }
      Sha256 digest = upload.digest();
      HubRepository parent = change.parent();
      String version = change.settings().version();
      if (version != null || parent == null || !parent.version().digest().equals(digest)) {
        String number =
            version != null ? version : adapters.nextVersion(change.caller(), change.adapter());
        publisher.publish(
            change.caller(),
            new Publisher.Target(change.adapter(), number, null),
            BlobContent.of(upload));
      }
      return ReferenceResolver.commit(digest);
    }
  }

  private static Refusal withoutAdapter(Set<CommitFile> files) {
    return Refusal.invalid(
        "path",
        "commit has no adapter: %s; it needs a .nola file, or adapter_config.json and adapter_model.safetensors, of which the registry makes all other files"
            .formatted(
                files.isEmpty()
                    ? "no files"
                    : String.join(", ", files.stream().map(CommitFile::path).toList())));
  }
}
