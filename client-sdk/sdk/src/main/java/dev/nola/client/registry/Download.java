package dev.nola.client.registry;

import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.cache.CachedFiles;
import dev.nola.client.http.Answer;
import dev.nola.client.http.Body.CutException;
import dev.nola.client.http.Call;
import dev.nola.client.http.MinimumRate;
import dev.nola.client.http.Transport;
import dev.nola.digest.Sha256;
import dev.nola.files.ProcessLock;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Brings one file into the cache. What was downloaded of it before, in this process or another, is
 * not downloaded again.
 */
final class Download {
  static final int RANGE_NOT_SATISFIABLE = 416;

  private final Transport transport;
  private final CachedFiles cache;
  private final long maxFileSize;
  private final String path;
  private final Progress progress;

  /** Whether an earlier answer's bytes are in the partial file. */
  private boolean resumed;

  /**
   * A download.
   *
   * @param maxFileSize the largest file, in bytes
   * @param path the file's path in the registry, which must never mean another file
   */
  Download(
      Transport transport, CachedFiles cache, long maxFileSize, String path, Progress progress) {
    this.transport = transport;
    this.cache = cache;
    this.maxFileSize = maxFileSize;
    this.path = path;
    this.progress = progress;
  }

  /**
   * The file in the cache.
   *
   * @param downloaded whether bytes of it had to be fetched
   */
  record Result(Path path, boolean downloaded) {}

  /**
   * Fetches what is missing of the file.
   *
   * @param head what the registry said of it
   * @param first an answer that brings it, or its end
   */
  Result run(FileHead head, Answer first) throws IOException, InterruptedException {
    try (first) {
      ProcessLock free = cache.tryLock(head.digest());
      if (free == null) {
        first.close(); // another process fetches it now; waiting would only keep the connection
      }
      try (ProcessLock _ = free == null ? cache.lock(head.digest()) : free) {
        Path present = cache.findLocked(head.digest());
        return present == null
            ? new Result(fetch(head, free == null ? null : first), true)
            : new Result(present, false);
      }
    }
  }

  private Path fetch(FileHead head, @Nullable Answer first)
      throws IOException, InterruptedException {
    resumed = cache.partialSize(head.digest()) > 0;
    complete(head, first);
    Path whole = cache.promote(head.digest());
    // Perhaps the beginning was damaged, or a gateway joined parts wrongly.
    if (whole == null && resumed) {
      complete(head, null);
      whole = cache.promote(head.digest());
    }
    if (whole == null) {
      throw RegistryException.broken(
          "%s sent bytes for %s that do not match the stated digest %s; they were discarded"
              .formatted(transport.registry(), path, head.digest()));
    }
    return whole;
  }

  /** Appends to the partial file until it is complete, again each time that the answer is cut. */
  private void complete(FileHead head, @Nullable Answer first)
      throws IOException, InterruptedException {
    Path partial = cache.partial(head.digest());
    AtomicReference<@Nullable Answer> opened = new AtomicReference<>(first);
    try {
      transport.resume(
          () -> {
            append(partial, head, opened.getAndSet(null));
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
  private void append(Path partial, FileHead head, @Nullable Answer first)
      throws IOException, InterruptedException {
    long offset = cache.partialSize(head.digest());
    resumed |= offset > 0;
    if (head.size() >= 0 && offset >= head.size()) {
      return; // it is complete; its digest tells whether it is right
    }
    boolean fits = first != null && FileHead.start(first) == offset;
    if (first != null && !fits) {
      first.close();
    }
    try (Answer answer = fits ? first : request(head.digest(), offset)) {
      if (answer == null) {
        return;
      }
      FileHead sent = FileHead.of(answer);
      if (!sent.digest().equals(head.digest())) {
        throw RegistryException.broken(
            "%s now states digest %s for %s, but stated %s before"
                .formatted(transport.registry(), sent.digest(), path, head.digest()));
      }
      requireAcceptable(sent.size());
      long start = FileHead.start(answer);
      if (start != offset && start != 0) {
        throw RegistryException.broken(
            "%s sent %s from byte %d; requested was byte %d"
                .formatted(transport.registry(), path, start, offset));
      }
      write(partial, start, sent.size(), transport.file(answer));
    }
  }

  /** The rest of the file, or null if the registry says that there is none. */
  private @Nullable Answer request(Sha256 digest, long offset)
      throws IOException, InterruptedException {
    try {
      return transport.open(Call.get(path).with(headers(digest, offset)));
    } catch (RegistryException e) {
      if (offset > 0 && e.status() == RANGE_NOT_SATISFIABLE) {
        return null;
      }
      throw e;
    }
  }

  /** Asks for a file from a byte on if it still has that digest, else for all of it. */
  static Map<String, String> headers(Sha256 digest, long offset) {
    return offset == 0
        ? Map.of("Accept", AdapterFile.MEDIA_TYPE)
        : Map.of(
            "Accept",
            AdapterFile.MEDIA_TYPE,
            "Range",
            "bytes=" + offset + "-",
            "If-Range",
            '"' + digest.toString() + '"');
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
                  transport.registry(),
                  size == maxFileSize + 1 ? "at least " : "",
                  size,
                  maxFileSize));
    }
  }
}
