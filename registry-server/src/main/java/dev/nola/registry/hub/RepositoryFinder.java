package dev.nola.registry.hub;

import dev.nola.api.name.Reference;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.ReferenceResolver;
import dev.nola.registry.signing.ModelSigner;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import org.springframework.stereotype.Component;

/**
 * Finds revisions of repositories: {@code main} and {@code HEAD}, which are the latest version
 * (even if an alias has such a name), and every other reference to a version.
 */
@Component
class RepositoryFinder {
  /** The branch of the latest version. */
  static final String MAIN = "main";

  private static final Set<String> LATEST = Set.of(MAIN, "HEAD");

  private final ReferenceResolver references;
  private final HubFolders folders;
  private final ModelSigner signer;

  RepositoryFinder(ReferenceResolver references, HubFolders folders, ModelSigner signer) {
    this.references = references;
    this.folders = folders;
    this.signer = signer;
  }

  /**
   * Finds the version that a revision names.
   *
   * @param caller of the request
   * @param adapter whose repository it is
   * @param revision {@code main}, {@code HEAD}, a version number, alias, range, commit or digest
   * @return the version, or empty if the revision does not exist
   * @throws Refusal with status 404 if the caller does not see the repository
   */
  Optional<ReferenceResolver.Located> version(Caller caller, AdapterName adapter, String revision) {
    try {
      return references.lookup(caller, adapter, isLatest(revision) ? Reference.LATEST : revision);
    } catch (Refusal refusal) {
      throw refusal.isNotFound() ? HubErrors.repositoryNotFound(refusal) : refusal;
    }
  }

  /**
   * Finds the latest version with its files.
   *
   * @param caller of the request
   * @param adapter whose repository it is
   * @return the revision, or empty if the adapter has no version that {@code latest} considers
   * @throws Refusal as {@link #find} does
   * @throws IOException if the adapter's file cannot be read
   */
  Optional<HubRepository> latest(Caller caller, AdapterName adapter) throws IOException {
    Optional<ReferenceResolver.Located> version = version(caller, adapter, MAIN);
    return version.isEmpty() ? Optional.empty() : Optional.of(read(caller, version.get()));
  }

  /**
   * Finds the revision of a file. The latest version that an adapter does not have is one without
   * files, as it is for clients that look for a card before they push.
   *
   * @param caller of the request
   * @param adapter whose repository it is
   * @param revision as of {@link #version}
   * @param path of the file
   * @return the revision
   * @throws Refusal as {@link #find} does
   * @throws IOException if the adapter's file cannot be read
   */
  HubRepository findForFile(Caller caller, AdapterName adapter, String revision, String path)
      throws IOException {
    return isLatest(revision)
        ? latest(caller, adapter).orElseThrow(() -> HubErrors.entryNotFound(path, adapter))
        : find(caller, adapter, revision);
  }

  /** Returns whether a revision is the latest version, whichever that is. */
  static boolean isLatest(String revision) {
    return LATEST.contains(revision);
  }

  /**
   * Finds the version that a revision must name.
   *
   * @param caller of the request
   * @param adapter whose repository it is
   * @param revision as of {@link #version}
   * @return the version
   * @throws Refusal with status 404 if the caller does not see the repository, or the revision does
   *     not exist
   */
  ReferenceResolver.Located existing(Caller caller, AdapterName adapter, String revision) {
    return version(caller, adapter, revision)
        .orElseThrow(() -> HubErrors.revisionNotFound(adapter, revision));
  }

  /**
   * Adds a version's files to it.
   *
   * @param caller of the request
   * @param version of an adapter that the caller sees
   * @return the revision
   * @throws Refusal with status 503 if too many files are being examined
   * @throws IOException if the adapter's file cannot be read
   */
  HubRepository read(Caller caller, ReferenceResolver.Located version) throws IOException {
    return new HubRepository(version, folders.get(caller.account(), version.digest()), signer);
  }

  /**
   * Finds a revision with its files.
   *
   * @param caller of the request
   * @param adapter whose repository it is
   * @param revision as of {@link #version}
   * @return the revision
   * @throws Refusal with status 404 if the caller does not see the repository, or the revision does
   *     not exist; with status 503 if too many files are being examined
   * @throws IOException if the adapter's file cannot be read
   */
  HubRepository find(Caller caller, AdapterName adapter, String revision) throws IOException {
    return read(caller, existing(caller, adapter, revision));
  }
}
