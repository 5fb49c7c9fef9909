package dev.nola.client.download;

import dev.nola.client.RegistryException;
import dev.nola.client.http.Answer;
import dev.nola.client.http.Call;
import dev.nola.client.http.Transport;
import dev.nola.digest.Sha256;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a file is downloaded from.
 *
 * @param transport of the registry
 * @param path the file's path in the registry, which must never mean another file
 * @param mediaType the type to ask for
 * @param statement reads which file an answer brings; null if the path itself contains the digest
 */
public record Source(
    Transport transport, String path, String mediaType, @Nullable Statement statement) {
  /** Reads the digest that an answer states. */
  @FunctionalInterface
  public interface Statement {
    /**
     * Reads an answer's headers.
     *
     * @param answer an answer that brings the file or a part of it
     * @return SHA-256 of the whole file
     * @throws RegistryException if the answer does not state it
     */
    Sha256 digest(Answer answer) throws RegistryException;
  }

  /**
   * Makes the request for a file from a byte on if it still has that digest, else for all of it.
   *
   * @param digest SHA-256 of the file
   * @param offset the first byte
   * @return the request
   */
  public Call call(Sha256 digest, long offset) {
    Map<String, String> headers = new HashMap<>(Map.of("Accept", mediaType));
    if (offset > 0) {
      headers.put("Range", "bytes=" + offset + "-");
      if (statement != null) {
        headers.put("If-Range", '"' + digest.toString() + '"');
      }
    }
    return Call.get(path).with(headers);
  }

  /** Refuses an answer that brings another file. */
  void require(Sha256 digest, Answer answer) throws RegistryException {
    if (statement == null) {
      return;
    }
    Sha256 stated = statement.digest(answer);
    if (!stated.equals(digest)) {
      throw RegistryException.broken(
          "%s now states digest %s for %s, but stated %s before"
              .formatted(transport.registry(), stated, path, digest));
    }
  }
}
