package dev.nola.client.bundle;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.api.Visibility;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.Reference;
import dev.nola.digest.Sha256;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The index of a bundle.
 *
 * @param format {@link #FORMAT}
 * @param versions by adapter and number
 * @param entries all other entries of the bundle, by name
 */
public record BundleIndex(String format, List<Version> versions, List<Entry> entries) {
  /** The format that this class writes, and the only one it reads. */
  public static final String FORMAT = "nola-bundle/1";

  /**
   * Copies the lists.
   *
   * @throws NullPointerException if a component is missing
   * @throws IllegalArgumentException if the format is another one, or a version or an entry occurs
   *     twice, or there are no versions
   */
  public BundleIndex {
    Objects.requireNonNull(format, "format is missing");
    if (!format.equals(FORMAT)) {
      throw new IllegalArgumentException(
          "unknown format: %s; this program reads %s".formatted(format, FORMAT));
    }
    versions = List.copyOf(Objects.requireNonNull(versions, "versions is missing"));
    entries = List.copyOf(Objects.requireNonNull(entries, "entries is missing"));
    if (versions.isEmpty()) {
      throw new IllegalArgumentException("versions is empty; a bundle has at least one");
    }
    Set<Object> seen = new HashSet<>();
    for (Version version : versions) {
      if (!seen.add(version.reference())) {
        throw new IllegalArgumentException(
            "version listed twice: %s; list it once".formatted(version.reference()));
      }
    }
    for (Entry entry : entries) {
      if (!seen.add(entry.name)) {
        throw new IllegalArgumentException(
            "entry listed twice: %s; list it once".formatted(entry.name));
      }
    }
  }

  /**
   * A version, with what its registry says of it beyond the file. It has eight components because
   * JSON has them side by side.
   *
   * @param adapter {@code namespace/name}
   * @param version its number
   * @param digest of its file
   * @param description of the adapter, for people
   * @param visibility of the adapter
   * @param aliases that point to the version, in alphabetical order
   * @param yanked why it should no longer be used, or null
   * @param attestations SHA-256 of its envelopes, in their registry's order
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Version(
      String adapter,
      String version,
      Sha256 digest,
      String description,
      Visibility visibility,
      List<String> aliases,
      @Nullable String yanked,
      List<Sha256> attestations) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if a component is missing
     * @throws IllegalArgumentException if a name breaks its rule
     */
    public Version {
      AdapterName.parse(Objects.requireNonNull(adapter, "adapter is missing"));
      NameRule.VERSION.require(Objects.requireNonNull(version, "version is missing"));
      Objects.requireNonNull(digest, "digest is missing");
      Objects.requireNonNull(description, "description is missing");
      Objects.requireNonNull(visibility, "visibility is missing");
      aliases = List.copyOf(Objects.requireNonNull(aliases, "aliases is missing"));
      aliases.forEach(NameRule.ALIAS::require);
      attestations = List.copyOf(Objects.requireNonNull(attestations, "attestations is missing"));
    }

    /**
     * Returns the reference to the version.
     *
     * @return by number
     */
    public Reference reference() {
      return new Reference(AdapterName.parse(adapter), version);
    }
  }

  /**
   * An entry of the archive.
   *
   * @param name such as {@code adapters/HEX.nola}
   * @param digest of its bytes
   * @param size number of its bytes
   */
  public record Entry(String name, Sha256 digest, long size) {
    /**
     * Checks that the entry has one of the names that entries can have.
     *
     * @throws NullPointerException if a component is missing
     * @throws IllegalArgumentException if it has another name
     */
    public Entry {
      EntryName.require(Objects.requireNonNull(name, "name is missing"));
      Objects.requireNonNull(digest, "digest is missing");
    }
  }
}
