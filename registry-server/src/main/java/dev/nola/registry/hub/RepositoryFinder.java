package dev.nola.registry.hub;

import dev.nola.api.name.Reference;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.ReferenceResolver;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import org.springframework.stereotype.Component;

/**
 * Finds revisions of repositories: {@code main} and {@code HEAD}, which are the latest version
 * (whatever alias has such a name), and all that refers to a version elsewhere.
 */
@Component
class RepositoryFinder {
  /** The branch of the latest version. */
  static final String MAIN = "main";

  private static final Set<String> LATEST = Set.of(MAIN, "HEAD");

  private final ReferenceResolver references;
  private final HubFolders folders;

  RepositoryFinder(ReferenceResolver references, HubFolders folders) {
    this.references = references;
    this.folders = folders;
  }

  /**
   * Finds the version that a revision names.
   *
   * @param caller of the request
   * @param adapter whose repository it is
   * @param revision {@code main}, {@code HEAD}, a version number, alias, range, commit or digest
   * @return the version, or empty if the repository has no such revision
   * @throws Refusal with status 404 if the caller does not see the repository
   */
  Optional<ReferenceResolver.Located> version(Caller caller, AdapterName adapter, String revision) {
    try {
      return references.lookup(
          caller, adapter, LATEST.contains(revision) ? Reference.LATEST : revision);
    } catch (Refusal refusal) {
      throw refusal.isNotFound() ? HubErrors.repositoryNotFound(refusal) : refusal;
    }
  }

  /**
   * Finds a revision with its files.
   *
   * @param caller of the request
   * @param adapter whose repository it is
   * @param revision as of {@link #version}
   * @return the revision
   * @throws Refusal with status 404 if the caller does not see the repository, or it has no such
   *     revision; with status 503 if too many files are being examined
   * @throws IOException if the adapter's file cannot be read
   */
  HubRepository find(Caller caller, AdapterName adapter, String revision) throws IOException {
    ReferenceResolver.Located version =
        version(caller, adapter, revision)
            .orElseThrow(() -> HubErrors.revisionNotFound(adapter.toString(), revision));
    return new HubRepository(version, folders.get(caller.account(), version.digest()));
  }
}
