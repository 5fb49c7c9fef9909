package dev.nola.cli;

import dev.nola.client.attestation.Attested;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.oci.OciPulled;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.command.Output;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** Whose attestations count. */
final class Trust {
  @Option(
      names = "--key",
      paramLabel = "FINGERPRINT",
      converter = Fingerprint.class,
      description =
          "Count only attestations with this key, instead of those that the registry trusts. May be"
              + " repeated.")
  private List<Sha256> keys = new ArrayList<>();

  @Option(
      names = "--require-verified",
      paramLabel = "N",
      description =
          "Fail unless N independent machines attest that the file reconstructs to the bits that it"
              + " states (default: 0, or 1 with --key): N different keys on N different hosts; two"
              + " keys on one host count as one machine. Signatures and proofs of the attestations"
              + " are checked locally.")
  private @Nullable Integer required;

  /** The keys that count; empty for those that the registry trusts. */
  List<Sha256> keys() {
    return List.copyOf(keys);
  }

  /**
   * Returns how many independent machines must have attested the bits: at least one if keys are
   * given.
   *
   * @throws ParameterException if the option contradicts that
   */
  int required(Output output) {
    int least = keys.isEmpty() ? 0 : 1;
    if (required != null && required < least) {
      throw new ParameterException(
          output.command().commandLine(),
          "invalid --require-verified: %d; must be at least %s"
              .formatted(required, keys.isEmpty() ? "0" : "1 with --key"));
    }
    return required == null ? least : required;
  }

  /**
   * Returns how many independent machines must have attested the bits, if only given keys count.
   *
   * @param source of the attestations, for messages
   * @throws ParameterException if attestations are required but no key is given
   */
  int requiredByKeys(String source, Output output) {
    int machines = required(output);
    if (machines > 0 && keys.isEmpty()) {
      throw new ParameterException(
          output.command().commandLine(),
          "missing --key: --require-verified %d of %s counts given keys only; pass the fingerprint of each key to trust"
              .formatted(machines, source));
    }
    return machines;
  }

  /** Tells whether any of the options was given. */
  boolean isGiven() {
    return required != null || !keys.isEmpty();
  }

  /** Tells whether attestations are required, which only references have. */
  boolean isDemanded(Output output) {
    return required(output) > 0;
  }

  /**
   * Requires attestations of a file that was pulled.
   *
   * @param required how many independent machines must have attested its bits
   * @param keys the keys that count; if empty, those that the registry trusts
   * @param client of the registry that it was pulled from
   * @param pulled where the file came from
   * @param file the file, read
   * @throws NotAttestedException if too few have, or one that counts contradicts them
   * @throws IOException if the attestations cannot be fetched
   */
  static void require(
      int required, List<Sha256> keys, NolaClient client, Pulled pulled, AdapterFile file)
      throws IOException, InterruptedException {
    List<String> failures =
        Attested.fetch(client, pulled.pinned(), pulled.digest(), file, keys).failures(required);
    if (!failures.isEmpty()) {
      throw new NotAttestedException(pulled.pinned().toString(), failures);
    }
  }

  /**
   * Requires attestations of a file that was pulled from a container registry.
   *
   * @param required how many independent machines must have attested its bits
   * @param keys the keys that count, at least one
   * @param pulled where the file came from
   * @param file the file, read
   * @param attestations the file's attestations, not yet checked
   * @throws NotAttestedException if too few have, or one that counts contradicts them
   */
  static void require(
      int required,
      List<Sha256> keys,
      OciPulled pulled,
      AdapterFile file,
      List<SignedEnvelope> attestations)
      throws IOException {
    List<String> failures =
        Attested.ofEnvelopes(pulled.digest(), file, attestations, keys).failures(required);
    if (!failures.isEmpty()) {
      throw new NotAttestedException(pulled.pinned().toString(), failures);
    }
  }

  /** As registries and lock files write it. */
  static final class Fingerprint implements ITypeConverter<Sha256> {
    @Override
    public Sha256 convert(String text) {
      try {
        return Sha256.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
