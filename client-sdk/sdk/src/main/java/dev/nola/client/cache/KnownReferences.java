package dev.nola.client.cache;

import dev.nola.api.name.NameRule;
import dev.nola.api.name.Reference;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Remembers what references meant when the registry was asked last, for files in the cache and for
 * downloads that have begun. A note that cannot be read counts as absent: asking the registry again
 * replaces it. For pulling; applications have no use for it.
 */
public final class KnownReferences {
  private static final String NOTE = ".json";
  private static final String TEMPORARY = ".tmp";

  /** Notes that are younger may belong to a download that has no file yet. */
  private static final Duration GRACE = Duration.ofMinutes(5);

  private final CacheLayout layout;

  KnownReferences(CacheLayout layout) {
    this.layout = layout;
  }

  /**
   * {@link KnownReference} as it is on disk.
   *
   * @param disputed null in notes of earlier releases
   */
  private record Note(
      String registry,
      String reference,
      String version,
      String digest,
      @Nullable String yanked,
      @Nullable Boolean disputed) {}

  /**
   * Returns what a reference meant when its file was pulled last.
   *
   * @param registry the registry's URL
   * @param reference the reference
   * @return its meaning, or null if it was not pulled
   * @throws IOException if the cache cannot be read
   */
  public @Nullable KnownReference find(URI registry, Reference reference) throws IOException {
    return read(layout.references(), registry, reference);
  }

  /**
   * Returns what a reference meant when a download of it began that has not ended yet.
   *
   * @param registry the registry's URL
   * @param reference the reference
   * @return its meaning, or null if no download of it is unfinished
   * @throws IOException if the cache cannot be read
   */
  public @Nullable KnownReference findBegun(URI registry, Reference reference) throws IOException {
    return read(layout.begun(), registry, reference);
  }

  /**
   * Keeps what a reference means whose file is about to be downloaded.
   *
   * @param known the meaning
   * @throws IOException if the cache cannot be written
   */
  public void begin(KnownReference known) throws IOException {
    write(layout.begun(), known);
  }

  /**
   * Keeps what a reference means whose file is in the cache.
   *
   * @param known the meaning
   * @throws IOException if the cache cannot be written
   */
  public void remember(KnownReference known) throws IOException {
    write(layout.references(), known);
    Files.deleteIfExists(
        layout.begun().resolve(CacheLayout.noteName(known.registry(), known.reference())));
  }

  /** Returns all references whose files were pulled. */
  List<KnownReference> list() throws IOException {
    List<KnownReference> all = new ArrayList<>();
    for (Path note : CacheLayout.list(layout.references())) {
      KnownReference known = note.toString().endsWith(NOTE) ? read(note) : null;
      if (known != null) {
        all.add(known);
      }
    }
    return all;
  }

  /** Removes the notes about files that are gone. */
  void forgetWithoutFile() throws IOException {
    forgetWithoutFile(layout.references(), layout::blob);
    forgetWithoutFile(layout.begun(), layout::partial);
  }

  private static void forgetWithoutFile(Path folder, Function<Sha256, Path> file)
      throws IOException {
    for (Path note : CacheLayout.list(folder)) {
      KnownReference known = read(note);
      boolean leftOver = note.toString().endsWith(TEMPORARY);
      if (isOld(note) && (leftOver || known == null || !Files.exists(file.apply(known.digest())))) {
        Files.deleteIfExists(note);
      }
    }
  }

  private static boolean isOld(Path file) throws IOException {
    try {
      return Files.getLastModifiedTime(file).toInstant().isBefore(Instant.now().minus(GRACE));
    } catch (NoSuchFileException _) {
      return false;
    }
  }

  private void write(Path folder, KnownReference known) throws IOException {
    layout.create(String.valueOf(folder.getFileName()));
    Path temporary = folder.resolve("." + UUID.randomUUID() + TEMPORARY);
    try {
      // Not forced to the disk: a note that is lost costs one request.
      Files.write(
          temporary,
          JsonMapper.shared()
              .writeValueAsBytes(
                  new Note(
                      known.registry().toString(),
                      known.reference().toString(),
                      known.version(),
                      known.digest().toString(),
                      known.yanked(),
                      known.disputed())));
      Files.move(
          temporary,
          folder.resolve(CacheLayout.noteName(known.registry(), known.reference())),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static @Nullable KnownReference read(Path folder, URI registry, Reference reference)
      throws IOException {
    KnownReference known = read(folder.resolve(CacheLayout.noteName(registry, reference)));
    return known != null && known.registry().equals(registry) && known.reference().equals(reference)
        ? known
        : null;
  }

  private static @Nullable KnownReference read(Path note) throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(note);
    } catch (NoSuchFileException _) {
      return null;
    }
    try {
      Note read = JsonMapper.shared().readValue(bytes, Note.class);
      if (read == null) {
        return null;
      }
      NameRule.VERSION.require(Objects.requireNonNullElse(read.version(), ""));
      return new KnownReference(
          URI.create(Objects.requireNonNullElse(read.registry(), "")),
          Reference.parse(Objects.requireNonNullElse(read.reference(), "")),
          read.version(),
          Sha256.parse(Objects.requireNonNullElse(read.digest(), "")),
          read.yanked(),
          Boolean.TRUE.equals(read.disputed()));
    } catch (JacksonException | IllegalArgumentException _) {
      return null;
    }
  }
}
