package dev.nola.cli;

import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.json.NolaModule;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.digest.Sha256;
import dev.nola.files.AtomicFile;
import dev.nola.text.Printable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * Attestations as files: each envelope as {@code SHA-256.dsse.json}, and beside it the public key
 * that signed it as {@code FINGERPRINT.pem}, both in formats that other programs read.
 */
final class AttestationFiles {
  private AttestationFiles() {}

  /**
   * Writes attestations and their keys.
   *
   * @param folder is created if it does not exist; files of the same name are replaced
   */
  static void write(Path folder, List<SignedEnvelope> attestations) throws IOException {
    Files.createDirectories(folder);
    for (SignedEnvelope each : attestations) {
      byte[] envelope = NolaModule.mapper().writeValueAsBytes(each.envelope());
      AtomicFile.write(folder.resolve(Sha256.hash(envelope).hex() + ".dsse.json"), envelope);
      VerifyingKey key = each.key();
      if (key != null) {
        AtomicFile.write(
            keyFile(folder, each.keyId()), key.toPem().getBytes(StandardCharsets.US_ASCII));
      }
    }
  }

  /**
   * Reads an attestation, with its key if that is beside it.
   *
   * @throws RefusedAttestationException if one is invalid
   * @throws IOException if a file cannot be read
   */
  static SignedEnvelope read(Path file) throws IOException {
    byte[] json = Files.readAllBytes(file);
    try {
      SignedEnvelope bare =
          SignedEnvelope.of(NolaModule.mapper().readValue(json, Envelope.class), null);
      Path folder = file.toAbsolutePath().normalize().getParent();
      return SignedEnvelope.of(bare.envelope(), key(keyFile(folder, bare.keyId())));
    } catch (JacksonException e) {
      throw new RefusedAttestationException(file, "must be a DSSE envelope in JSON", e);
    } catch (IllegalArgumentException e) {
      throw new RefusedAttestationException(file, String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * Checks which file an attestation is about; verifiers check the rest.
   *
   * @param file that the attestation was read from
   * @param digest SHA-256 of the adapter's file
   * @throws RefusedAttestationException if it is about another file
   */
  static void requireAbout(Path file, Envelope envelope, Sha256 digest)
      throws RefusedAttestationException {
    try {
      String subject =
          NolaModule.mapper()
              .readTree(Base64.getDecoder().decode(envelope.payload()))
              .at("/subject/0/digest/sha256")
              .asString("");
      if (!subject.equals(digest.hex())) {
        throw new RefusedAttestationException(
            file,
            "wrong subject: sha256:%s; must be the adapter, %s"
                .formatted(Printable.line(subject), digest),
            null);
      }
    } catch (IllegalArgumentException | JacksonException e) {
      throw new RefusedAttestationException(file, "its payload must be base64 of JSON", e);
    }
  }

  private static Path keyFile(Path folder, Sha256 keyId) {
    return folder.resolve(keyId.hex() + ".pem");
  }

  private static @Nullable VerifyingKey key(Path pem) throws IOException {
    String text;
    try {
      text = Files.readString(pem, StandardCharsets.US_ASCII);
    } catch (NoSuchFileException _) {
      return null;
    }
    return VerifyingKey.parsePem(text);
  }
}
