package dev.nola.registry.blobs;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Where blobs are if not in the data directory. Credentials are found by the default chain of AWS's
 * SDK.
 *
 * @param bucket that has them; null for the data directory
 * @param endpoint of an S3-compatible store, such as {@code https://minio.example:9000}; null for
 *     AWS
 * @param region of the bucket; null for the one that the default chain finds or, with an endpoint,
 *     {@code us-east-1}
 * @param prefix of all keys, such as {@code nola/}
 * @param pathStyle whether the bucket is in the path of URLs instead of the host name
 * @param presigned how long a URL is valid to which a download is redirected; null to send files
 *     through the server
 */
@ConfigurationProperties("nola.blobs.s3")
record S3Settings(
    @Nullable String bucket,
    @Nullable URI endpoint,
    @Nullable String region,
    @DefaultValue("") String prefix,
    boolean pathStyle,
    @Nullable Duration presigned) {
  /** S3's maximum is 1024 bytes for a whole key. */
  private static final int MAX_PREFIX = 512;

  /** S3's maximum is a week; a URL works without a token, also after one was revoked. */
  private static final Duration MAX_PRESIGNED = Duration.ofHours(1);

  /**
   * @throws IllegalArgumentException if the endpoint is not the URL of a server, the prefix cannot
   *     begin a key, or settings of a bucket come without one
   */
  S3Settings {
    boolean others =
        endpoint != null || region != null || !prefix.isEmpty() || pathStyle || presigned != null;
    if (bucket == null && others) {
      throw new IllegalArgumentException(
          "nola.blobs.s3.bucket missing; the other settings of nola.blobs.s3 need it");
    }
    if (bucket != null && bucket.isBlank()) {
      throw new IllegalArgumentException("invalid nola.blobs.s3.bucket; must not be empty");
    }
    if (endpoint != null && !isServer(endpoint)) {
      throw new IllegalArgumentException(
          "invalid nola.blobs.s3.endpoint: %s; must be http:// or https:// with a host, and no path"
              .formatted(endpoint));
    }
    if (presigned != null && !(presigned.isPositive() && presigned.compareTo(MAX_PRESIGNED) <= 0)) {
      throw new IllegalArgumentException(
          "invalid nola.blobs.s3.presigned: %s; must be positive, and at most %s"
              .formatted(presigned, MAX_PRESIGNED));
    }
    if (prefix.startsWith("/") || prefix.length() > MAX_PREFIX) {
      throw new IllegalArgumentException(
          "invalid nola.blobs.s3.prefix: %s; must not begin with /, nor be longer than %d characters"
              .formatted(prefix, MAX_PREFIX));
    }
  }

  private static boolean isServer(URI uri) {
    return ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
        && uri.getHost() != null
        && uri.getUserInfo() == null
        && uri.getQuery() == null
        && (uri.getPath().isEmpty() || uri.getPath().equals("/"));
  }
}
