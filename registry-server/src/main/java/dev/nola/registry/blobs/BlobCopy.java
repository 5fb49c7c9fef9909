package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Gatherers;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Copies the blobs of a store to another. Both may be in use: a blob is copied as a whole, under
 * its digest, and one that the other store has already is left there, so that a copy can be
 * repeated and then takes only what has been added.
 */
public final class BlobCopy {
  /** Blobs on their way at once, most of whose time is spent waiting for answers. */
  private static final int PARALLEL = 16;

  private static final int BUFFER = 64 * 1024;

  private final BlobStore source;
  private final BlobStore target;

  BlobCopy(BlobStore source, BlobStore target) {
    this.source = source;
    this.target = target;
  }

  /**
   * What a copy did.
   *
   * @param copied number of blobs that the target lacked
   * @param bytes sum of their sizes
   * @param present number of blobs that the target had
   * @param damaged digests that the bytes in the source do not have; these were not copied
   */
  public record Result(long copied, long bytes, long present, List<Sha256> damaged) {}

  private enum Outcome {
    COPIED,
    PRESENT,
    DAMAGED,
    DELETED
  }

  private record Done(BlobStore.Stored blob, Outcome outcome) {}

  /**
   * A blob of the source.
   *
   * @param blob as the source lists it
   * @param present whether the target lists it, too
   */
  private record Candidate(BlobStore.Stored blob, boolean present) {}

  /** Compares the lists of both stores, which are in one order, instead of asking for each blob. */
  private static final class TargetList {
    private final Iterator<BlobStore.Stored> blobs;
    private BlobStore.@Nullable Stored next;

    TargetList(Stream<BlobStore.Stored> blobs) {
      this.blobs = blobs.iterator();
      advance();
    }

    private void advance() {
      next = blobs.hasNext() ? blobs.next() : null;
    }

    /** Returns a blob of the source, each of which must come after the one before. */
    Candidate candidate(BlobStore.Stored blob) {
      while (next != null && next.digest().compareTo(blob.digest()) < 0) {
        advance();
      }
      return new Candidate(
          blob, next != null && next.digest().equals(blob.digest()) && next.size() == blob.size());
    }
  }

  /**
   * Copies all blobs that the source has and the target lacks.
   *
   * @return what was done
   * @throws IOException if a store fails; what was copied until then is whole
   */
  public Result run() throws IOException {
    long copied = 0;
    long bytes = 0;
    long present = 0;
    List<Sha256> damaged = new ArrayList<>();
    try (Stream<BlobStore.Stored> all = source.list();
        Stream<BlobStore.Stored> there = target.list()) {
      TargetList list = new TargetList(there);
      Stream<Done> done =
          all.map(list::candidate).gather(Gatherers.mapConcurrent(PARALLEL, this::copy));
      for (Done each : (Iterable<Done>) done::iterator) {
        switch (each.outcome()) {
          case COPIED -> {
            copied++;
            bytes += each.blob().size();
          }
          case PRESENT -> present++;
          case DAMAGED -> damaged.add(each.blob().digest());
          case DELETED -> {}
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return new Result(copied, bytes, present, List.copyOf(damaged));
  }

  private Done copy(Candidate candidate) {
    BlobStore.Stored blob = candidate.blob();
    try {
      return new Done(blob, candidate.present() ? Outcome.PRESENT : copy(blob.digest()));
    } catch (IOException e) {
      throw new UncheckedIOException(
          new IOException("cannot copy blob " + blob.digest() + ": " + e.getMessage(), e));
    }
  }

  private Outcome copy(Sha256 digest) throws IOException {
    Optional<BlobStore.Blob> blob = source.find(digest);
    if (blob.isEmpty()) {
      return Outcome.DELETED;
    }
    try (BlobStore.Upload upload = target.begin();
        InputStream bytes = blob.get().open(0, blob.get().size())) {
      byte[] buffer = new byte[BUFFER];
      for (int count = bytes.read(buffer); count >= 0; count = bytes.read(buffer)) {
        upload.write(buffer, 0, count);
      }
      if (!upload.digest().equals(digest)) {
        return Outcome.DAMAGED;
      }
      upload.commit();
      return Outcome.COPIED;
    }
  }
}
