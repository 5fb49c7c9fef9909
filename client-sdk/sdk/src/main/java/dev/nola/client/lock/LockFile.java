package dev.nola.client.lock;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.nola.api.name.Reference;
import dev.nola.client.JsonProblem;
import dev.nola.digest.Sha256;
import dev.nola.files.AtomicFile;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A lock file: adapters pinned to their bytes and to the bits that they reconstruct to.
 *
 * @param adapters the pinned adapters, in the order of the file
 */
public record LockFile(List<Entry> adapters) {
  /** The name that lock files have. */
  public static final String NAME = "nola.lock";

  /** The version of lock files that this class writes, and the only one it reads. */
  public static final int VERSION = 1;

  private static final long MAX_BYTES = 16 << 20;

  /** How Jackson begins its complaint about a key that an object has twice. */
  private static final String DUPLICATE = "Duplicate Object property";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * Copies the list.
   *
   * @throws IllegalArgumentException if the list is empty or names an adapter twice
   */
  public LockFile {
    adapters = List.copyOf(adapters);
    if (adapters.isEmpty()) {
      throw new IllegalArgumentException("adapters is empty; a lock file pins at least one");
    }
    Set<String> sources = new HashSet<>();
    for (Entry entry : adapters) {
      if (!sources.add(entry.registry + " " + entry.source)) {
        throw new IllegalArgumentException(
            "adapter listed twice: " + entry.source + "; list it once");
      }
    }
  }

  /**
   * A pinned adapter. Its components follow the keys of an adapter in JSON.
   *
   * @param source a reference by version number or digest, or a path relative to the lock file
   * @param requested the reference as it was given, which can move, such as one by an alias; null
   *     if it cannot, or for a path
   * @param registry the registry of the reference, or null for a path
   * @param digest SHA-256 of the file's bytes
   * @param reconstructionDigest the digest to which the file must reconstruct
   * @param requiredVerifications how many independent machines must have attested it
   * @param keys fingerprints of the keys whose attestations count; if empty, the keys that the
   *     registry trusts
   */
  public record Entry(
      String source,
      @Nullable String requested,
      @Nullable URI registry,
      Sha256 digest,
      Sha256 reconstructionDigest,
      int requiredVerifications,
      List<Sha256> keys) {
    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if the reference may resolve to another file later, it was
     *     requested by that of another adapter, the path is absolute, or the number negative, or 0
     *     though keys are listed
     */
    public Entry {
      keys = List.copyOf(keys);
      if (registry != null && !Reference.parse(source).isPinned()) {
        throw new IllegalArgumentException(
            "reference %s may resolve to a different file later; must have a version number or a digest"
                .formatted(source));
      }
      if (requested != null
          && (registry == null
              || !Reference.parse(requested).adapter().equals(Reference.parse(source).adapter()))) {
        throw new IllegalArgumentException(
            "invalid requested: %s; must be a reference to the same adapter as %s"
                .formatted(requested, source));
      }
      if (registry == null && (source.isEmpty() || Path.of(source).isAbsolute())) {
        throw new IllegalArgumentException(
            "file \"%s\"; must be a path relative to the lock file".formatted(source));
      }
      if (requiredVerifications < (keys.isEmpty() ? 0 : 1)) {
        throw new IllegalArgumentException(
            "invalid requiredVerifications: %d; must be at least %s"
                .formatted(
                    requiredVerifications, keys.isEmpty() ? "0" : "1, since keys are listed"));
      }
    }
  }

  /** As JSON has it. */
  @JsonPropertyOrder({"version", "adapters"})
  private record Wire(@Nullable Integer version, @Nullable List<@Nullable WireEntry> adapters) {}

  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonPropertyOrder({
    "reference",
    "requested",
    "registry",
    "file",
    "digest",
    "reconstructionDigest",
    "requiredVerifications",
    "keys"
  })
  private record WireEntry(
      @Nullable String reference,
      @Nullable String requested,
      @Nullable URI registry,
      @Nullable String file,
      @Nullable String digest,
      @Nullable String reconstructionDigest,
      @Nullable Integer requiredVerifications,
      @Nullable List<String> keys) {
    static WireEntry of(Entry entry) {
      return new WireEntry(
          entry.registry == null ? null : entry.source,
          entry.requested,
          entry.registry,
          entry.registry == null ? entry.source : null,
          entry.digest.toString(),
          entry.reconstructionDigest.toString(),
          entry.requiredVerifications,
          entry.keys.stream().map(Sha256::toString).toList());
    }

    Entry entry() {
      boolean hasReference = reference != null && registry != null && file == null;
      boolean hasFile = reference == null && registry == null && file != null;
      if (!hasReference && !hasFile
          || digest == null
          || reconstructionDigest == null
          || requiredVerifications == null) {
        throw new IllegalArgumentException(
            "an adapter needs either reference and registry, or file, and digest,"
                + " reconstructionDigest and requiredVerifications");
      }
      String source = hasFile ? file : reference;
      return new Entry(
          source == null ? "" : source,
          requested,
          registry,
          Sha256.parse(digest),
          Sha256.parse(reconstructionDigest),
          requiredVerifications,
          keys == null ? List.of() : keys.stream().map(Sha256::parse).toList());
    }
  }

  /**
   * Reads a lock file.
   *
   * @param path the file
   * @return the lock file
   * @throws InvalidLockFileException if it is not a valid lock file; the message says why
   * @throws IOException if it cannot be read
   */
  public static LockFile read(Path path) throws IOException {
    if (Files.size(path) > MAX_BYTES) {
      throw new InvalidLockFileException(
          "%s is not a lock file: it has %d bytes; must have at most %d"
              .formatted(path, Files.size(path), MAX_BYTES));
    }
    try {
      String json = text(Files.readAllBytes(path));
      if (json.isBlank()) {
        throw new InvalidLockFileException(path + ": lock file is empty");
      }
      Wire wire = JSON.readValue(json, Wire.class);
      if (wire == null || wire.version == null) {
        throw new InvalidLockFileException(path + " is not a lock file: version missing");
      }
      if (wire.version != VERSION) {
        throw new InvalidLockFileException(
            "%s is a lock file of version %d; this program reads version %d"
                .formatted(path, wire.version, VERSION));
      }
      List<@Nullable WireEntry> entries = wire.adapters;
      if (entries == null) {
        throw new InvalidLockFileException(path + " is not a lock file: adapters missing");
      }
      return new LockFile(entries.stream().map(LockFile::entry).toList());
    } catch (CharacterCodingException e) {
      throw new InvalidLockFileException(path + " is not a lock file: neither UTF-8 nor UTF-16", e);
    } catch (JacksonException e) {
      throw new InvalidLockFileException(path + " is not a lock file: " + describe(e), e);
    } catch (IllegalArgumentException e) {
      throw new InvalidLockFileException(path + ": " + e.getMessage(), e);
    }
  }

  /** Decodes the file as the editors and shells of Windows may have left it. */
  private static String text(byte[] bytes) throws CharacterCodingException {
    boolean isUtf16 =
        bytes.length >= 2
            && ((bytes[0] == (byte) 0xFE && bytes[1] == (byte) 0xFF)
                || (bytes[0] == (byte) 0xFF && bytes[1] == (byte) 0xFE));
    String text =
        (isUtf16 ? StandardCharsets.UTF_16 : StandardCharsets.UTF_8)
            .newDecoder()
            .decode(ByteBuffer.wrap(bytes))
            .toString();
    return text.startsWith("\uFEFF") ? text.substring(1) : text;
  }

  private static Entry entry(@Nullable WireEntry entry) {
    if (entry == null || entry.keys != null && entry.keys.stream().anyMatch(Objects::isNull)) {
      throw new IllegalArgumentException("null in place of an adapter or a key");
    }
    return entry.entry();
  }

  /** Returns what is wrong with the JSON, without the names of classes. */
  private static String describe(JacksonException failure) {
    String message = failure.getOriginalMessage();
    return switch (failure) {
      case StreamReadException _ when message.startsWith(DUPLICATE) ->
          "key given twice:" + message.substring(DUPLICATE.length()).replaceAll("[\"']", "");
      case StreamReadException _ -> "truncated or invalid JSON";
      case UnrecognizedPropertyException unknown -> "unknown key: " + unknown.getPropertyName();
      default ->
          failure.getPath().isEmpty()
              ? "must be one JSON object with version and adapters"
              : "invalid value of " + JsonProblem.key(failure);
    };
  }

  /**
   * Writes the file beside {@code path} and renames it; equal content gives equal bytes.
   *
   * @param path the file to write or replace
   * @throws IOException if it cannot be written
   */
  public void write(Path path) throws IOException {
    String json =
        JSON.writeValueAsString(new Wire(VERSION, adapters.stream().map(WireEntry::of).toList()));
    AtomicFile.write(path, (json + "\n").getBytes(StandardCharsets.UTF_8));
  }
}
