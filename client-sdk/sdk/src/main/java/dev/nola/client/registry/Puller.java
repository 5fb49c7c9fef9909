package dev.nola.client.registry;

import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.cache.KnownReference;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.download.Download;
import dev.nola.client.download.Source;
import dev.nola.client.http.Answer;
import dev.nola.client.http.Call;
import dev.nola.client.http.Transport;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Brings the files that references mean into the cache, unless they are there. */
final class Puller {
  private final Transport transport;
  private final LocalCache cache;
  private final boolean offline;
  private final long maxFileSize;

  /**
   * @param offline true to answer from the cache alone
   * @param maxFileSize the largest file to download, in bytes
   */
  Puller(Transport transport, LocalCache cache, boolean offline, long maxFileSize) {
    this.transport = transport;
    this.cache = cache;
    this.offline = offline;
    this.maxFileSize = maxFileSize;
  }

  /** Pulls a file as {@link NolaClient#pull} describes. */
  Pulled pull(Reference reference, Progress progress) throws IOException, InterruptedException {
    KnownReference known = cache.references().find(transport.registry(), reference);
    Path present = known == null ? null : cache.files().find(known.digest());
    Pulled cached = known == null || present == null ? null : pulled(known, present, true);
    if (offline) {
      if (cached != null) {
        return cached;
      }
      throw RegistryException.unavailable(
          known == null
              ? "%s is not available offline: it has not been pulled from %s"
                  .formatted(reference, transport.registry())
              : "%s is not available offline: it is no longer in the cache (%s)"
                  .formatted(reference, cache.path()),
          null);
    }
    try {
      return ask(reference, present == null ? null : known, present, progress);
    } catch (RegistryException e) {
      if (e.kind() == Kind.UNAVAILABLE && cached != null && reference.isPinned()) {
        return cached;
      }
      throw e;
    }
  }

  private static Pulled pulled(KnownReference known, Path file, boolean fromCache) {
    return new Pulled(
        known.reference(),
        known.version(),
        known.digest(),
        file,
        known.yanked(),
        known.disputed(),
        fromCache);
  }

  /** Asks the registry what a reference means, and downloads that unless it is in the cache. */
  private Pulled ask(
      Reference reference,
      @Nullable KnownReference known,
      @Nullable Path present,
      Progress progress)
      throws IOException, InterruptedException {
    try (Answer answer = ask(reference, known)) {
      FileHead head = head(reference, answer, known);
      KnownReference meaning =
          new KnownReference(
              transport.registry(),
              reference,
              Objects.requireNonNull(head.version()),
              head.digest(),
              head.yanked(),
              head.disputed());
      Reference exact = new Reference(reference.adapter(), meaning.version());
      requireUnchanged(exact, meaning);
      Download.Result file;
      if (answer.isNotModified() && present != null) {
        file = new Download.Result(present, false);
      } else {
        cache.references().begin(meaning);
        file =
            new Download(source(exact), cache.files(), maxFileSize, progress)
                .run(head.digest(), head.size(), answer);
      }
      for (Reference name :
          List.of(reference, exact, new Reference(reference.adapter(), head.digest().toString()))) {
        cache.references().remember(meaning.as(name));
      }
      if (file.downloaded()) {
        cache.evict();
      }
      return pulled(meaning, file.path(), !file.downloaded());
    }
  }

  /**
   * Asks for the file of a reference, unless it is the one that the cache has, and without what was
   * downloaded of it before.
   */
  private Answer ask(Reference reference, @Nullable KnownReference known)
      throws IOException, InterruptedException {
    Call file = Call.get(Paths.file(reference)).accepting(AdapterFile.MEDIA_TYPE);
    if (known != null) {
      return transport.open(
          file.with(
              Map.of(
                  "Accept",
                  AdapterFile.MEDIA_TYPE,
                  "If-None-Match",
                  '"' + known.digest().toString() + '"')));
    }
    KnownReference begun = cache.references().findBegun(transport.registry(), reference);
    long offset = begun == null ? 0 : cache.files().partialSize(begun.digest());
    if (begun != null && offset > 0) {
      try {
        return transport.open(source(reference).call(begun.digest(), offset));
      } catch (RegistryException e) {
        if (e.status() != Download.RANGE_NOT_SATISFIABLE) {
          throw e;
        }
        // All of it was downloaded, and only the last step was not done.
      }
    }
    return transport.open(file);
  }

  private Source source(Reference reference) {
    return new Source(transport, Paths.file(reference), AdapterFile.MEDIA_TYPE, FileHead::digest);
  }

  /** Refuses other bytes for a version than it had before: a registry must never change one. */
  private void requireUnchanged(Reference exact, KnownReference meaning)
      throws IOException, InterruptedException {
    KnownReference before = cache.references().find(transport.registry(), exact);
    if (before != null
        && !before.digest().equals(meaning.digest())
        && cache.files().find(before.digest()) != null) {
      throw RegistryException.broken(
          "%s changed %s, which no registry may: digest %s now, %s in the cache; to accept it, remove %s from the cache"
              .formatted(
                  transport.registry(), exact, meaning.digest(), before.digest(), before.digest()));
    }
  }

  /** Reads what the registry says of the file, which must be what was asked for. */
  private FileHead head(Reference reference, Answer answer, @Nullable KnownReference known)
      throws RegistryException {
    FileHead head = FileHead.of(answer);
    if (answer.isNotModified() && (known == null || !known.digest().equals(head.digest()))) {
      throw RegistryException.broken(
          "%s reports %s as unchanged, but with a different digest: %s"
              .formatted(transport.registry(), reference, head.digest()));
    }
    if (reference.digest() != null && !head.digest().equals(reference.digest())) {
      throw RegistryException.broken(
          "%s offered a file with digest %s for %s"
              .formatted(transport.registry(), head.digest(), reference));
    }
    if (head.version() == null
        || (reference.isPinned()
            && reference.digest() == null
            && !reference.version().equals(head.version()))) {
      throw RegistryException.broken(
          "%s offered version %s for %s"
              .formatted(transport.registry(), head.version(), reference));
    }
    return head;
  }
}
