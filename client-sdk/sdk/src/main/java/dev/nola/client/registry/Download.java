package dev.nola.client.registry;

import dev.nola.client.Progress;
import dev.nola.client.registry.Body.CutException;
import dev.nola.client.registry.RegistryException.Kind;
import dev.nola.client.registry.Transport.Answer;
import dev.nola.client.registry.Transport.Call;
import dev.nola.digest.Sha256;
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
import org.jspecify.annotations.Nullable;

/**
 * Brings one file into the cache. What came of it before, in this process or another, is not asked
 * for again.
 */
final class Download {
  static final int RANGE_NOT_SATISFIABLE = 416;

  private final Transport transport;
  private final LocalCache cache;
  private final long maxFileSize;
  private final String path;
  private final Progress progress;

  /**
   * A download.
   *
   * @param path of the file in the registry; it must never mean another file
   * @param maxFileSize bytes that it may have
   */
  Download(
      Transport transport, LocalCache cache, long maxFileSize, String path, Progress progress) {
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
    Path partial = cache.partial(head.digest());
    boolean resumed = cache.begunSize(head.digest()) > 0;
    Answer next = first;
    for (int cuts = 0; ; ) {
      try {
        append(partial, head, next);
      } catch (RegistryException e) {
        if (e.kind() == Kind.BROKEN) {
          Files.deleteIfExists(partial); // nothing good comes of it
        }
        throw e;
      } catch (CutException e) {
        if (cuts++ >= transport.patience().retries()) {
          throw transport.unreachable(e);
        }
        next = null;
        transport.patience().pause().of(Transport.backoff(cuts - 1));
        continue;
      }
      next = null;
      Path kept = cache.keep(head.digest());
      if (kept != null) {
        return kept;
      }
      if (!resumed) {
        throw RegistryException.broken(
            "%s sent other bytes for %s than those with the digest %s that it names; nothing was kept"
                .formatted(transport.registry(), path, head.digest()));
      }
      resumed = false; // perhaps what was there before was damaged: once more, from the start
    }
  }

  /** Adds what is missing, as far as it comes. */
  private void append(Path partial, FileHead head, @Nullable Answer first)
      throws IOException, InterruptedException {
    long at = cache.begunSize(head.digest());
    if (head.size() >= 0 && at >= head.size()) {
      return; // it has come already, and is whole or not
    }
    boolean fits = first != null && FileHead.start(first) == at;
    if (first != null && !fits) {
      first.close();
    }
    try (Answer answer = fits ? first : request(head.digest(), at)) {
      if (answer == null) {
        return;
      }
      FileHead sent = FileHead.of(answer);
      if (!sent.digest().equals(head.digest())) {
        throw RegistryException.broken(
            "%s names the digest %s for %s now, and named %s before"
                .formatted(transport.registry(), sent.digest(), path, head.digest()));
      }
      requireAcceptable(sent.size());
      long start = FileHead.start(answer);
      if (start != at && start != 0) {
        throw RegistryException.broken(
            "%s sends %s from byte %d on, asked for %d"
                .formatted(transport.registry(), path, start, at));
      }
      write(partial, start, sent.size(), answer.body());
    }
  }

  /** The rest of the file, or null if the registry says that there is none. */
  private @Nullable Answer request(Sha256 digest, long at)
      throws IOException, InterruptedException {
    try {
      return transport.open(Call.get(path).with(headers(digest, at)));
    } catch (RegistryException e) {
      if (at > 0 && e.status() == RANGE_NOT_SATISFIABLE) {
        return null;
      }
      throw e;
    }
  }

  /** Asks for a file from a byte on if it still has that digest, else for all of it. */
  static Map<String, String> headers(Sha256 digest, long at) {
    return at == 0
        ? Map.of("Accept", AdapterFile.MEDIA_TYPE)
        : Map.of(
            "Accept",
            AdapterFile.MEDIA_TYPE,
            "Range",
            "bytes=" + at + "-",
            "If-Range",
            '"' + digest.toString() + '"');
  }

  private void write(Path partial, long start, long size, Body body)
      throws IOException, InterruptedException {
    long at = start;
    try (FileChannel file =
        FileChannel.open(partial, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
      file.position(start);
      progress.at(at, size);
      for (List<ByteBuffer> piece = body.next(transport.patience().request());
          piece != null;
          piece = body.next(transport.patience().request())) {
        for (ByteBuffer bytes : piece) {
          at += bytes.remaining();
          requireAcceptable(at);
          write(partial, file, bytes);
        }
        progress.at(at, size);
      }
    }
    if (size >= 0 && at != size) {
      throw new CutException("the answer has %d bytes of %d".formatted(at, size), null);
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
          "%s offers a file of %s%d bytes, limit is %d"
              .formatted(
                  transport.registry(),
                  size == maxFileSize + 1 ? "at least " : "",
                  size,
                  maxFileSize));
    }
  }
}
