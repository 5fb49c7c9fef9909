package dev.nola.client.bundle;

import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.json.NolaModule;
import dev.nola.client.JsonProblem;
import dev.nola.client.attestation.Attested;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A bundle that is read. Opening it checks that it has exactly the entries that its index lists;
 * each entry's digest is compared when it is read. Nothing is ever unpacked to a path.
 */
public final class Bundle implements AutoCloseable {
  static final JsonMapper JSON =
      JsonMapper.builder()
          .addModule(new NolaModule())
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final long MAX_INDEX = 64 << 20;
  private static final long MAX_ENTRY = NolaClient.DEFAULT_MAX_FILE_SIZE;

  private final Path path;
  private final ZipFile zip;
  private final BundleIndex index;
  private final Map<String, BundleIndex.Entry> entries = new HashMap<>();

  private Bundle(Path path, ZipFile zip) throws IOException {
    this.path = path;
    this.zip = zip;
    this.index = readIndex();
    index.entries().forEach(entry -> entries.put(entry.name(), entry));
    requireListed();
  }

  /**
   * Opens a bundle.
   *
   * @param path the file
   * @return the bundle, to be closed
   * @throws InvalidBundleException if it is not a bundle, is truncated, or has other entries than
   *     its index lists
   * @throws IOException if it cannot be read
   */
  public static Bundle open(Path path) throws IOException {
    ZipFile zip;
    try {
      zip = new ZipFile(path.toFile(), StandardCharsets.UTF_8);
    } catch (ZipException e) {
      throw new InvalidBundleException(
          "%s is not a bundle: %s; it is truncated or not a ZIP archive"
              .formatted(path, e.getMessage()),
          e);
    }
    try {
      return new Bundle(path, zip);
    } catch (IOException | RuntimeException e) {
      zip.close();
      throw e;
    }
  }

  private BundleIndex readIndex() throws IOException {
    byte[] json = read(EntryName.INDEX, MAX_INDEX);
    try {
      return JSON.readValue(json, BundleIndex.class);
    } catch (DatabindException e) {
      throw invalid(EntryName.INDEX, JsonProblem.ofRecord(e), e);
    } catch (JacksonException e) {
      throw invalid(EntryName.INDEX, "invalid JSON: " + JsonProblem.of(e), e);
    }
  }

  private void requireListed() throws IOException {
    Set<String> present = new HashSet<>();
    for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements(); ) {
      String name = all.nextElement().getName();
      if (!name.equals(EntryName.INDEX)) {
        try {
          EntryName.require(name);
        } catch (IllegalArgumentException e) {
          throw new InvalidBundleException(path + ": " + e.getMessage(), e);
        }
        if (!entries.containsKey(name)) {
          throw invalid(name, "not in index.json, which must list every entry", null);
        }
      }
      if (!present.add(name)) {
        throw invalid(name, "occurs twice; must occur once", null);
      }
    }
    for (BundleIndex.Version version : index.versions()) {
      requireListed(EntryName.ofAdapter(version.digest()));
      for (Sha256 attestation : version.attestations()) {
        requireListed(EntryName.ofAttestation(attestation));
      }
    }
    for (String name : entries.keySet()) {
      if (!present.contains(name)) {
        throw missing(name);
      }
    }
  }

  private void requireListed(String name) throws InvalidBundleException {
    if (!entries.containsKey(name)) {
      throw missing(name);
    }
  }

  /**
   * Returns the index.
   *
   * @return the index, which nothing signs
   */
  public BundleIndex index() {
    return index;
  }

  /**
   * Reads the file of a version.
   *
   * @param version of this bundle
   * @return its bytes, which have the version's digest
   * @throws InvalidBundleException if the bundle has other bytes
   * @throws IOException if it cannot be read
   */
  public byte[] file(BundleIndex.Version version) throws IOException {
    String name = EntryName.ofAdapter(version.digest());
    byte[] bytes = bytes(name);
    requireNamed(name, version.digest(), Sha256.hash(bytes));
    return bytes;
  }

  /**
   * Reads the adapter of a version.
   *
   * @param version of this bundle
   * @return the adapter, not reconstructed
   * @throws InvalidBundleException if the bundle has other bytes, or they are not a valid adapter
   * @throws IOException if it cannot be read
   */
  public AdapterFile adapter(BundleIndex.Version version) throws IOException {
    try {
      return AdapterFile.read(file(version));
    } catch (AdapterException e) {
      throw invalid(EntryName.ofAdapter(version.digest()), String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * Reads the attestations of a version.
   *
   * @param version of this bundle
   * @return the attestations with their keys; signatures are not checked
   * @throws InvalidBundleException if the bundle has other bytes, they are not an attestation, or
   *     the key is missing
   * @throws IOException if it cannot be read
   */
  public List<SignedEnvelope> attestations(BundleIndex.Version version) throws IOException {
    List<SignedEnvelope> attestations = new ArrayList<>();
    for (Sha256 digest : version.attestations()) {
      String name = EntryName.ofAttestation(digest);
      byte[] json = bytes(name);
      requireNamed(name, digest, Sha256.hash(json));
      try {
        SignedEnvelope bare =
            SignedEnvelope.of(NolaModule.mapper().readValue(json, Envelope.class), null);
        attestations.add(SignedEnvelope.of(bare.envelope(), key(bare.keyId())));
      } catch (JacksonException e) {
        throw invalid(name, "must be a DSSE envelope in JSON", e);
      } catch (IllegalArgumentException e) {
        throw invalid(name, String.valueOf(e.getMessage()), e);
      }
    }
    return attestations;
  }

  private VerifyingKey key(Sha256 fingerprint) throws IOException {
    String name = EntryName.ofKey(fingerprint);
    requireListed(name);
    VerifyingKey key;
    try {
      key = VerifyingKey.parsePem(new String(bytes(name), StandardCharsets.US_ASCII));
    } catch (IllegalArgumentException e) {
      throw invalid(name, String.valueOf(e.getMessage()), e);
    }
    requireNamed(name, fingerprint, key.fingerprint());
    return key;
  }

  /**
   * Checks a version: reconstructs its adapter, and checks the signature of every attestation, what
   * it is about, and its proof.
   *
   * @param version of this bundle
   * @param trusted fingerprints of the keys that count; if empty, all keys in the bundle do
   * @return what the keys that count attest
   * @throws InvalidBundleException if anything is not as it should be, whatever the key
   * @throws AdapterException if the adapter cannot be reconstructed to the bits that it states
   * @throws IOException if it cannot be read
   */
  public Attested verify(BundleIndex.Version version, Set<Sha256> trusted) throws IOException {
    AdapterFile file = adapter(version);
    List<SignedEnvelope> attestations = attestations(version);
    Reconstructor.standard().verify(file);
    Set<Sha256> all = new HashSet<>(trusted);
    attestations.forEach(each -> all.add(each.keyId()));
    if (all.isEmpty()) {
      return new Attested(List.of(), List.of(), List.of(), false);
    }
    Attested attested = Attested.ofEnvelopes(version.digest(), file, attestations, all);
    for (Attested.Rejected rejected : attested.rejected()) {
      throw invalid(
          EntryName.ofAttestation(version.attestations().get((int) rejected.id() - 1)),
          rejected.reason(),
          null);
    }
    return trusted.isEmpty() || trusted.containsAll(all)
        ? attested
        : Attested.ofEnvelopes(version.digest(), file, attestations, trusted);
  }

  /** Reads an entry that the index lists, and compares it with what the index says. */
  private byte[] bytes(String name) throws IOException {
    BundleIndex.Entry listed = entries.get(name);
    if (listed == null) {
      throw missing(name);
    }
    byte[] bytes = read(name, MAX_ENTRY);
    Sha256 digest = Sha256.hash(bytes);
    if (bytes.length != listed.size() || !digest.equals(listed.digest())) {
      throw invalid(
          name,
          "wrong digest: %s, %d bytes; index.json lists %s, %d bytes"
              .formatted(digest, bytes.length, listed.digest(), listed.size()),
          null);
    }
    return bytes;
  }

  private byte[] read(String name, long maximum) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw missing(name);
    }
    long size = entry.getSize();
    if (entry.getMethod() != ZipEntry.STORED || size < 0 || size > maximum) {
      throw invalid(
          name, "must be stored uncompressed, with at most %d bytes".formatted(maximum), null);
    }
    try (InputStream content = zip.getInputStream(entry)) {
      byte[] bytes = content.readNBytes((int) size);
      if (bytes.length != size) {
        throw invalid(name, "truncated: %d bytes".formatted(bytes.length), null);
      }
      // The only check of the index, and so against accidents alone; ZipFile leaves it out.
      CRC32 checksum = new CRC32();
      checksum.update(bytes);
      if (checksum.getValue() != entry.getCrc()) {
        throw invalid(name, "wrong checksum; must be the archive's", null);
      }
      return bytes;
    } catch (ZipException | EOFException e) {
      throw invalid(name, "damaged archive: " + e.getMessage(), e);
    }
  }

  private void requireNamed(String name, Sha256 expected, Sha256 actual)
      throws InvalidBundleException {
    if (!actual.equals(expected)) {
      throw invalid(name, "wrong digest: %s; must be that of its name".formatted(actual), null);
    }
  }

  private InvalidBundleException missing(String name) {
    return invalid(name, "missing from the bundle", null);
  }

  private InvalidBundleException invalid(String name, String problem, @Nullable Throwable cause) {
    return new InvalidBundleException(
        "%s: invalid entry: %s; %s".formatted(path, name, problem), cause);
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }
}
