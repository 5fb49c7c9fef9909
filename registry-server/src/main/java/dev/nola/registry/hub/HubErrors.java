package dev.nola.registry.hub;

import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.web.Refusal;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Refusals that the Hub's clients tell by a header, of HEAD too. */
final class HubErrors {
  private static final String CODE = "X-Error-Code";

  /** The header with the reason of a refusal. */
  static final String MESSAGE = "X-Error-Message";

  /** The header with the commit of a revision. */
  static final String COMMIT = "X-Repo-Commit";

  private static final int MAX_HEADER = 1_000;

  private HubErrors() {}

  /** Returns the refusal of a repository that the caller does not see. */
  static Refusal repositoryNotFound(Refusal refusal) {
    return coded(refusal, "RepoNotFound", null);
  }

  /** Returns the refusal of a revision that a repository does not have. */
  static Refusal revisionNotFound(AdapterName adapter, String revision) {
    return coded(
        Refusal.notFound("revision " + revision + " of " + adapter), "RevisionNotFound", null);
  }

  /** Returns the refusal of a file that a revision does not have. */
  static Refusal entryNotFound(String path, HubRepository repository) {
    return coded(
        Refusal.notFound("file " + path + " of " + repository.version().adapter()),
        "EntryNotFound",
        repository.commit());
  }

  /** Returns the refusal of a file at {@code main} of an adapter without a latest version. */
  static Refusal entryNotFound(String path, AdapterName adapter) {
    return coded(
        Refusal.notFound("file " + path + " of " + adapter + ", which has no latest version,"),
        "EntryNotFound",
        null);
  }

  /** Replaces what a header cannot have. */
  static String ascii(String text) {
    String line = text.replaceAll("\\R\\s*", " ").replaceAll("[^ -~]", "?");
    return line.length() <= MAX_HEADER ? line : line.substring(0, MAX_HEADER) + "...";
  }

  private static Refusal coded(Refusal refusal, String code, @Nullable String commit) {
    Map<String, String> headers = new HashMap<>();
    headers.put(CODE, code);
    headers.put(MESSAGE, ascii(String.valueOf(refusal.getMessage())));
    if (commit != null) {
      headers.put(COMMIT, commit);
    }
    return refusal.withHeaders(headers);
  }
}
