package dev.nola.registry.objects;

import dev.nola.api.Violation;
import dev.nola.api.job.ObjectManifest;
import dev.nola.digest.Sha256;
import dev.nola.registry.web.Refusal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** What a manifest must be, and its digest. */
final class Manifests {
  private static final Pattern PATH =
      Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*");
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");
  private static final byte[] TAG = "nola-object".getBytes(StandardCharsets.UTF_8);
  private static final int MAX_PATH = 500;
  private static final int MAX_DESCRIPTION = 4_000;

  /** Rules told at once; a manifest may have thousands of files. */
  private static final int MAX_VIOLATIONS = 20;

  private static final Comparator<ObjectManifest.Entry> BY_PATH =
      (a, b) -> Arrays.compareUnsigned(utf8(a.path()), utf8(b.path()));

  private Manifests() {}

  /** The files in the order of their paths' UTF-8 bytes. */
  static List<ObjectManifest.Entry> sorted(ObjectManifest manifest) {
    return manifest.files().stream().sorted(BY_PATH).toList();
  }

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
              "description has %d characters, limit is %d"
                  .formatted(description.length(), MAX_DESCRIPTION)));
    }
    int count = manifest.files().size();
    if (count < 1 || count > maxFiles) {
      violations.add(
          new Violation(
              "files", "files has %d entries, must have 1 to %d".formatted(count, maxFiles)));
    } else {
      Set<String> paths = new HashSet<>();
      for (ObjectManifest.Entry file : manifest.files()) {
        check(file, paths, violations);
      }
    }
    if (!violations.isEmpty()) {
      throw Refusal.invalid(violations.subList(0, Math.min(violations.size(), MAX_VIOLATIONS)));
    }
  }

  private static void check(
      ObjectManifest.Entry file, Set<String> paths, List<Violation> violations) {
    if (file.path().length() > MAX_PATH || !PATH.matcher(file.path()).matches()) {
      violations.add(
          new Violation(
              "files.path",
              "path=%s, must be names of letters, digits, dots, underscores and hyphens between slashes, none beginning with a dot, of at most %d characters"
                  .formatted(file.path(), MAX_PATH)));
    } else if (!paths.add(file.path())) {
      violations.add(
          new Violation("files.path", "path=%s, must be there once".formatted(file.path())));
    }
    if (file.size() < 0) {
      violations.add(
          new Violation(
              "files.size",
              "size=%d of %s, must not be negative".formatted(file.size(), file.path())));
    }
    if (!DIGEST.matcher(file.digest()).matches()) {
      violations.add(
          new Violation(
              "files.digest",
              "digest=%s of %s, must be sha256: and 64 hexadecimal digits"
                  .formatted(file.digest(), file.path())));
    }
  }

  /** The digest that identifies a revision; the description is no part of it. */
  static Sha256 digest(List<ObjectManifest.Entry> sorted) {
    MessageDigest hash = Sha256.newMessageDigest();
    hash.update(TAG);
    for (ObjectManifest.Entry file : sorted) {
      byte[] path = utf8(file.path());
      hash.update(
          ByteBuffer.allocate(Integer.BYTES + path.length + Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(path.length)
              .put(path)
              .putLong(file.size())
              .array());
      hash.update(Sha256.parse(file.digest()).toBytes());
    }
    return Sha256.finish(hash);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
