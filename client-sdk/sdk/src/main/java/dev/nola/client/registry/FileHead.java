package dev.nola.client.registry;

import dev.nola.api.name.VersionNumber;
import dev.nola.client.RegistryException;
import dev.nola.client.download.SentPart;
import dev.nola.client.http.Answer;
import dev.nola.client.http.RegistryText;
import dev.nola.digest.Sha256;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The headers with which an answer describes its file.
 *
 * @param digest of the whole file
 * @param version the number of the version, or null if the answer does not say
 * @param yanked why the version should no longer be used, or null
 * @param disputed whether a worker attests other bits, which nothing has confirmed or refuted yet
 * @param size of the whole file in bytes, or −1 if the answer does not say
 */
record FileHead(
    Sha256 digest, @Nullable String version, @Nullable String yanked, boolean disputed, long size) {
  private static final Pattern REPR_DIGEST =
      Pattern.compile("(?:.*,\\s*)?sha-256=:([A-Za-z0-9+/]{43}=):.*");
  private static final Pattern ETAG = Pattern.compile("\"(sha256:[0-9a-f]{64})\"");
  private static final String YANKED = "yanked: ";

  /**
   * Reads an answer's headers.
   *
   * @throws RegistryException if they do not name the file's digest
   */
  static FileHead of(Answer answer) throws RegistryException {
    return new FileHead(
        digest(answer),
        answer.header("Nola-Version").filter(VersionNumber::isValid).orElse(null),
        answer.header("Nola-Warning").map(FileHead::yanked).orElse(null),
        answer.header("Nola-Disputed").filter("true"::equals).isPresent(),
        SentPart.of(answer).total());
  }

  /**
   * Reads the digest that an answer states.
   *
   * @throws RegistryException if it states none
   */
  static Sha256 digest(Answer answer) throws RegistryException {
    Optional<Sha256> digest =
        answer
            .header("Repr-Digest")
            .map(REPR_DIGEST::matcher)
            .filter(Matcher::matches)
            .map(match -> Sha256.ofBytes(Base64.getDecoder().decode(match.group(1))));
    return digest
        .or(
            () ->
                answer
                    .header("ETag")
                    .map(ETAG::matcher)
                    .filter(Matcher::matches)
                    .map(match -> Sha256.parse(match.group(1))))
        .orElseThrow(
            () ->
                RegistryException.broken(
                    "the registry did not state the digest of the file that it sent (is this a Nola registry?)"));
  }

  private static String yanked(String header) {
    String reason = header.startsWith(YANKED) ? header.substring(YANKED.length()) : header;
    try {
      return RegistryText.printable(URLDecoder.decode(reason, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException _) {
      return RegistryText.printable(reason); // not encoded after all
    }
  }
}
