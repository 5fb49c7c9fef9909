package dev.nola.files;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * A lock that one holder has at a time, in this process or another. The lock file stays: removing
 * it while another waits for it would give both the lock.
 */
public final class ProcessLock implements AutoCloseable {
  /**
   * The operating system's locks belong to a process as a whole, so its threads need these as well,
   * whichever object they came through.
   */
  private static final Map<Path, Semaphore> THREADS = new ConcurrentHashMap<>();

  private final Semaphore threads;
  private final FileChannel channel;

  private ProcessLock(Semaphore threads, FileChannel channel) {
    this.threads = threads;
    this.channel = channel;
  }

  /**
   * Waits for a lock.
   *
   * @param file the lock file, which is created if it does not exist; its folder must
   * @return the lock, which the caller closes
   * @throws IOException if the file cannot be opened or locked
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public static ProcessLock acquire(Path file) throws IOException, InterruptedException {
    Semaphore threads = threads(file);
    threads.acquire();
    try {
      FileChannel channel = open(file);
      try {
        channel.lock();
        return new ProcessLock(threads, channel);
      } catch (Throwable t) {
        channel.close();
        throw t;
      }
    } catch (FileLockInterruptionException | ClosedByInterruptException e) {
      threads.release();
      throw interrupted(e);
    } catch (Throwable t) {
      threads.release();
      throw t;
    }
  }

  /**
   * Takes a lock if nobody holds it.
   *
   * @param file the lock file, which is created if it does not exist; its folder must
   * @return the lock, which the caller closes, or null if another thread or process holds it
   * @throws IOException if the file cannot be opened or locked
   */
  public static @Nullable ProcessLock tryAcquire(Path file) throws IOException {
    Semaphore threads = threads(file);
    if (!threads.tryAcquire()) {
      return null;
    }
    boolean held = false;
    try {
      FileChannel channel = open(file);
      try {
        held = channel.tryLock() != null;
      } finally {
        if (!held) {
          channel.close();
        }
      }
      return held ? new ProcessLock(threads, channel) : null;
    } finally {
      if (!held) {
        threads.release();
      }
    }
  }

  private static Semaphore threads(Path file) {
    return THREADS.computeIfAbsent(file.toAbsolutePath().normalize(), _ -> new Semaphore(1));
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
  }

  /**
   * Converts the exception of a channel that was closed by an interrupt, and clears the thread's
   * interrupt flag, which the channel has set again.
   *
   * @param cause the channel's exception
   * @return the exception to throw
   */
  public static InterruptedException interrupted(Exception cause) {
    Thread.interrupted();
    InterruptedException interrupted = new InterruptedException("interrupted");
    interrupted.initCause(cause);
    return interrupted;
  }

  /** Releases the lock. */
  @Override
  public void close() throws IOException {
    try {
      channel.close(); // and with it the lock
    } finally {
      threads.release();
    }
  }
}
