package dev.nola.client.bundle;

import dev.nola.digest.Sha256;
import dev.nola.text.Printable;
import java.util.regex.Pattern;

/** Names of entries, which consist of digests: a bundle cannot name a path of its reader. */
final class EntryName {
  static final String INDEX = "index.json";

  private static final Pattern NAME =
      Pattern.compile(
          "adapters/[0-9a-f]{64}\\.nola|attestations/[0-9a-f]{64}\\.dsse\\.json|keys/[0-9a-f]{64}\\.pem");

  private EntryName() {}

  static String ofAdapter(Sha256 digest) {
    return "adapters/" + digest.hex() + ".nola";
  }

  static String ofAttestation(Sha256 digest) {
    return "attestations/" + digest.hex() + ".dsse.json";
  }

  static String ofKey(Sha256 fingerprint) {
    return "keys/" + fingerprint.hex() + ".pem";
  }

  /**
   * Requires the name of an entry other than the index.
   *
   * @throws IllegalArgumentException if it is another name
   */
  static void require(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "invalid entry: %s; must be adapters/HEX.nola, attestations/HEX.dsse.json or keys/HEX.pem"
              .formatted(Printable.escaped(name)));
    }
  }
}
