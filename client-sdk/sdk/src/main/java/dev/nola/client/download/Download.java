package dev.nola.client.download;

import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.cache.CachedFiles;
import dev.nola.client.http.Answer;
import dev.nola.client.http.Body.CutException;
import dev.nola.client.http.MinimumRate;
import dev.nola.digest.Sha256;
import dev.nola.files.ProcessLock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Brings one file into the cache. What was downloaded of it before, in this process or another, is
 * not downloaded again.
 */
public final class Download {
  /** The status of a range that begins at the end of the file or after it. */
  public static final int RANGE_NOT_SATISFIABLE = 416;

  private final Source source;
  private final CachedFiles cache;
  private final long maxFileSize;
  private final Progress progress;

  /** Whether an earlier answer's bytes are in the partial file. */
  private boolean resumed;

  /**
   * Prepares a download.
   *
   * @param source where the file comes from
   * @param cache keeps the file, and before that its beginning
   * @param maxFileSize the largest file, in bytes
   * @param progress receives the number of bytes downloaded
   */
  public Download(Source source, CachedFiles cache, long maxFileSize, Progress progress) {
    this.source = source;
    this.cache = cache;
    this.maxFileSize = maxFileSize;
    this.progress = progress;
  }

  /**
   * The file in the cache.
   *
   * @param path of the file
   * @param downloaded whether bytes of it had to be fetched
   */
  public record Result(Path path, boolean downloaded) {}

  /**
   * Fetches what is missing of the file.
   *
   * @param digest SHA-256 of the file
   * @param size of the file in bytes; −1 if it is not known
   * @param first an answer that brings it, or its end; null if it is still to be requested
   * @return the file
   * @throws RegistryException if the registry sends other bytes or more than allowed, or cannot be
   *     reached
   * @throws IOException if the cache cannot be written
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Result run(Sha256 digest, long size, @Nullable Answer first)
      throws IOException, InterruptedException {
    try (first) {
      ProcessLock free = cache.tryLock(digest);
      if (free == null && first != null) {
        first.close(); // another process fetches it now; waiting would only keep the connection
      }
      try (ProcessLock _ = free == null ? cache.lock(digest) : free) {
        Path present = cache.findLocked(digest);
        return present == null
            ? new Result(fetch(digest, size, free == null ? null : first), true)
            : new Result(present, false);
      }
    }
  }

  private Path fetch(Sha256 digest, long size, @Nullable Answer first)
      throws IOException, InterruptedException {
    resumed = cache.partialSize(digest) > 0;
    complete(digest, size, first);
    Path whole = cache.promote(digest);
    // Perhaps the beginning was damaged, or a gateway joined parts wrongly.
    if (whole == null && resumed) {
      complete(digest, size, null);
      whole = cache.promote(digest);
    }
    if (whole == null) {
      throw RegistryException.broken(
          "%s sent bytes for %s that do not match the stated digest %s; they were discarded"
              .formatted(source.transport().registry(), source.path(), digest));
    }
    return whole;
  }

  /** Appends to the partial file until it is complete, again each time that the answer is cut. */
  private void complete(Sha256 digest, long size, @Nullable Answer first)
      throws IOException, InterruptedException {
    Path partial = cache.partial(digest);
    AtomicReference<@Nullable Answer> opened = new AtomicReference<>(first);
    try {
      source
          .transport()
          .resume(
              () -> {
                append(partial, digest, size, opened.getAndSet(null));
                return partial;
              });
    } catch (RegistryException e) {
      if (e.kind() == Kind.BROKEN) {
        Files.deleteIfExists(partial); // it would not become the file
      }
      throw e;
    }
  }

  /** Appends what is missing, as far as it comes. */
  private void append(Path partial, Sha256 digest, long size, @Nullable Answer first)
      throws IOException, InterruptedException {
    long offset = cache.partialSize(digest);
    resumed |= offset > 0;
    if (size >= 0 && offset >= size) {
      return; // it is complete; its digest tells whether it is right
    }
    boolean fits = first != null && SentPart.of(first).start() == offset;
    if (first != null && !fits) {
      first.close();
    }
    try (Answer answer = fits ? first : request(digest, offset)) {
      if (answer == null) {
        return;
      }
      source.require(digest, answer);
      SentPart sent = SentPart.of(answer);
      requireAcceptable(sent.total());
      long start = sent.start();
      if (start != offset && start != 0) {
        throw RegistryException.broken(
            "%s sent %s from byte %d; requested was byte %d"
                .formatted(source.transport().registry(), source.path(), start, offset));
      }
      write(partial, start, sent.total(), source.transport().file(answer));
    }
  }

  /** The rest of the file, or null if the registry says that there is none. */
  private @Nullable Answer request(Sha256 digest, long offset)
      throws IOException, InterruptedException {
    try {
      return source.transport().open(source.call(digest, offset));
    } catch (RegistryException e) {
      if (offset > 0 && e.status() == RANGE_NOT_SATISFIABLE) {
        return null;
      }
      throw e;
    }
  }

  private void write(Path partial, long start, long total, MinimumRate.Reader body)
      throws IOException, InterruptedException {
    long size = start;
    try (FileChannel file =
        FileChannel.open(partial, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
      file.position(start);
      progress.at(size, total);
      for (List<ByteBuffer> piece = body.next(); piece != null; piece = body.next()) {
        for (ByteBuffer bytes : piece) {
          size += bytes.remaining();
          requireAcceptable(size);
          write(partial, file, bytes);
        }
        progress.at(size, total);
      }
    }
    if (total >= 0 && size != total) {
      throw new CutException(
          "the response ended early: %d bytes of %d".formatted(size, total), null);
    }
  }

  private static void write(Path partial, FileChannel file, ByteBuffer bytes) throws IOException {
    try {
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
    } catch (ClosedByInterruptException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(partial + " cannot be written: " + e.getMessage(), e);
    }
  }

  private void requireAcceptable(long size) throws RegistryException {
    if (size > maxFileSize) {
      throw RegistryException.broken(
          "%s offered a file of %s%d bytes; limit is %d"
              .formatted(
                  source.transport().registry(),
                  size == maxFileSize + 1 ? "at least " : "",
                  size,
                  maxFileSize));
    }
  }
}
