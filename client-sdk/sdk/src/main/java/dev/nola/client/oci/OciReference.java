package dev.nola.client.oci;

import dev.nola.client.RegistryUrl;
import dev.nola.digest.Sha256;
import java.net.URI;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An artifact in a container registry: {@code oci://host/repository:tag}, or {@code
 * oci://host/repository@sha256:…} by the digest of its manifest.
 *
 * @param host the registry's host, with its port unless that is the default, in lower case
 * @param repository the path of the repository, such as {@code acme/mood}
 * @param tag the tag; null if this names a digest
 * @param digest SHA-256 of the manifest; null if this names a tag
 */
public record OciReference(
    String host, String repository, @Nullable String tag, @Nullable Sha256 digest) {
  /** The tag of a reference that names neither tag nor digest. */
  public static final String LATEST = "latest";

  private static final String SCHEME = "oci://";
  private static final String DOCKER_HUB = "docker.io";
  private static final int MAX_PORT = 65_535;
  private static final int MAX_REPOSITORY = 255;

  private static final Pattern TEXT =
      Pattern.compile(
          "(?<host>[^/@]+)/(?<repository>[^:@]+)(?::(?<tag>[^:@]*))?(?:@(?<digest>.*))?");
  private static final Pattern HOST =
      Pattern.compile("(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\\[[0-9a-f:]+])(?::[0-9]{1,5})?");
  private static final Pattern REPOSITORY =
      Pattern.compile(
          "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");

  /**
   * Checks the parts.
   *
   * @throws IllegalArgumentException if one breaks the rules of the OCI distribution specification
   */
  public OciReference {
    require(
        HOST.matcher(host).matches() && hasPort(host),
        "host",
        host,
        "a host name, optionally with a port");
    require(
        repository.length() <= MAX_REPOSITORY && REPOSITORY.matcher(repository).matches(),
        "repository",
        repository,
        "lower-case letters and digits, separated by . _ - or /, at most 255 characters");
    require(
        tag == null || TAG.matcher(tag).matches(),
        "tag",
        String.valueOf(tag),
        "1 to 128 letters, digits and . _ -, not beginning with . or -");
    if ((tag == null) == (digest == null)) {
      throw new IllegalArgumentException("an OCI reference has either a tag or a digest");
    }
  }

  private static boolean hasPort(String host) {
    String port = host.replaceFirst(".*?(?::([0-9]+))?$", "0$1");
    return Integer.parseInt(port) <= MAX_PORT;
  }

  private static void require(boolean holds, String part, String value, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(
          "invalid %s of an OCI reference: %s; must be %s".formatted(part, value, rule));
    }
  }

  /**
   * Tells whether a text names an artifact in a container registry.
   *
   * @param text an argument
   * @return whether it begins with {@code oci://}
   */
  public static boolean isMeantBy(String text) {
    return text.startsWith(SCHEME);
  }

  /**
   * Parses a reference. If it has both a tag and a digest, the digest counts.
   *
   * @param text the reference, with its scheme; without tag and digest it means {@value #LATEST}
   * @return the reference
   * @throws IllegalArgumentException if the text is not a valid reference
   */
  public static OciReference parse(String text) {
    Matcher parts = TEXT.matcher(isMeantBy(text) ? text.substring(SCHEME.length()) : "");
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "invalid OCI reference: %s; must look like oci://host/repository:tag or oci://host/repository@sha256:…"
              .formatted(text));
    }
    String digest = parts.group("digest");
    String tag = parts.group("tag");
    return new OciReference(
        parts.group("host").toLowerCase(Locale.ROOT),
        parts.group("repository"),
        digest != null ? null : tag == null ? LATEST : tag,
        digest == null ? null : Sha256.parse(digest));
  }

  /**
   * Returns an immutable reference to the same artifact, by the digest of its manifest.
   *
   * @param manifest SHA-256 of the manifest
   * @return the pinned reference
   */
  public OciReference pinned(Sha256 manifest) {
    return new OciReference(host, repository, null, manifest);
  }

  /** Returns the tag or digest, as used in the registry's paths. */
  String target() {
    return digest == null ? String.valueOf(tag) : digest.toString();
  }

  /**
   * Returns the URL of the registry's API.
   *
   * @param plainHttp true to connect without TLS, as is always done on this machine
   */
  URI api(boolean plainHttp) {
    URI plain = URI.create("http://" + host);
    if (plainHttp || RegistryUrl.isPrivate(plain)) {
      return RegistryUrl.normalize(plain);
    }
    return RegistryUrl.normalize(
        URI.create("https://" + (host.equals(DOCKER_HUB) ? "registry-1.docker.io" : host)));
  }

  @Override
  public String toString() {
    return SCHEME + host + "/" + repository + (digest == null ? ":" + tag : "@" + digest);
  }
}
