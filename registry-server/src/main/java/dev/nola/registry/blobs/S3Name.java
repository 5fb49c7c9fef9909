package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The key of one copy of a blob, {@code sha256/<64 hex digits>/<time>-<random>}: those of a blob
 * are adjacent in the order of keys, and by their times.
 *
 * @param digest of the blob
 * @param time of the commit or renewal that wrote the copy, in whole microseconds
 * @param key without the prefix of the bucket
 */
record S3Name(Sha256 digest, Instant time, String key) {
  /** Start of the keys of all blobs. */
  static final String ALL = "sha256/";

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
  private static final Pattern KEY =
      Pattern.compile(
          "sha256/([0-9a-f]{64})/([0-9]{8}T[0-9]{6}\\.[0-9]{6}Z)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}");

  /**
   * Returns the start of the keys of a blob's copies.
   *
   * @param digest of the blob
   * @return start of keys, without the prefix of the bucket
   */
  static String prefix(Sha256 digest) {
    return ALL + digest.hex() + "/";
  }

  /**
   * Returns a name that no object has or had.
   *
   * @param digest of the blob
   * @param time of the copy
   * @return the name
   */
  static S3Name unique(Sha256 digest, Instant time) {
    Instant micros = time.truncatedTo(ChronoUnit.MICROS);
    return new S3Name(
        digest, micros, prefix(digest) + TIME.format(micros) + "-" + UUID.randomUUID());
  }

  /**
   * Reads a name.
   *
   * @param key without the prefix of the bucket
   * @return the name, or empty if the object is not a copy of a blob
   */
  static Optional<S3Name> parse(String key) {
    Matcher matcher = KEY.matcher(key);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new S3Name(
              Sha256.parse("sha256:" + matcher.group(1)),
              TIME.parse(matcher.group(2), Instant::from),
              key));
    } catch (DateTimeParseException _) {
      return Optional.empty(); // a foreign object
    }
  }
}
