package dev.nola.cli;

import dev.nola.digest.Sha256;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
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

  /** The keys that count; empty for those that the registry trusts. */
  List<Sha256> keys() {
    return List.copyOf(keys);
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
