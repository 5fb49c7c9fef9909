package dev.nola.registry.objects;

import dev.nola.api.Violation;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.NameRule;
import dev.nola.registry.web.Refusal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Rules that a manifest must meet. */
final class ManifestRules {
  /** A thousand terabytes: sums of so many sizes cannot overflow. */
  private static final long MAX_SIZE = 1L << 50;

  private static final int MAX_DESCRIPTION = 4_000;

  /** Maximum number of violations in a response; a manifest may have thousands of files. */
  private static final int MAX_VIOLATIONS = 20;

  private ManifestRules() {}

  /**
   * Checks all rules.
   *
   * @throws Refusal that names those which are broken
   */
  static void require(ObjectManifest manifest, int maxFiles) {
    List<Violation> violations = new ArrayList<>();
    String description = manifest.description();
    if (description != null && description.length() > MAX_DESCRIPTION) {
      violations.add(
          new Violation(
              "description",
              "description has %d characters; the limit is %d"
                  .formatted(description.length(), MAX_DESCRIPTION)));
    }
    int count = manifest.files().size();
    if (count < 1 || count > maxFiles) {
      violations.add(
          new Violation(
              "files", "files has %d entries; must have 1 to %d".formatted(count, maxFiles)));
    } else {
      Set<String> paths = new HashSet<>();
      long size = 0;
      for (ObjectManifest.Entry file : manifest.files()) {
        check(file, paths, violations);
        size = Math.min(size + Math.min(Math.max(0, file.size()), MAX_SIZE), MAX_SIZE + 1);
      }
      if (size > MAX_SIZE) {
        violations.add(
            new Violation("files.size", "files too large; all together may have 2^50 bytes"));
      }
      requireFoldersApart(paths, violations);
    }
    if (!violations.isEmpty()) {
      throw Refusal.invalid(violations.subList(0, Math.min(violations.size(), MAX_VIOLATIONS)));
    }
  }

  /** Refuses a path that is the folder of another: no file system can hold both. */
  private static void requireFoldersApart(Set<String> paths, List<Violation> violations) {
    for (String path : paths) {
      for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
        String folder = path.substring(0, slash);
        if (paths.contains(folder)) {
          violations.add(
              new Violation(
                  "files.path",
                  "conflicting paths: %s and %s; a file must not be another's folder"
                      .formatted(folder, path)));
        }
      }
    }
  }

  private static void check(
      ObjectManifest.Entry file, Set<String> paths, List<Violation> violations) {
    if (!NameRule.FILE_PATH.isMet(file.path())) {
      violations.add(new Violation("files.path", NameRule.FILE_PATH.message(file.path())));
    } else if (!paths.add(file.path())) {
      violations.add(
          new Violation(
              "files.path",
              "duplicate path: %s; each file must be listed once".formatted(file.path())));
    }
    if (file.size() < 0) {
      violations.add(
          new Violation(
              "files.size",
              "invalid size of %s: %d; must not be negative".formatted(file.path(), file.size())));
    }
  }
}
