package dev.nola.trainer.worker;

import dev.nola.files.AtomicFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.regex.Pattern;

/** The working folder of one running worker, locked until it is closed. */
final class WorkFolder implements AutoCloseable {
  private static final Pattern INSTANCE = Pattern.compile("[0-9a-f-]{36}");

  private final Path instanceFile;
  private final FileChannel lock;
  private final String instance;

  /**
   * Creates and locks the folder.
   *
   * @param path the folder
   * @throws IOException if it cannot be used, or another worker uses it
   */
  WorkFolder(Path path) throws IOException {
    Files.createDirectories(path);
    this.instanceFile = path.resolve("instance");
    this.lock = lock(path.resolve(".lock"));
    this.instance = readOrCreateInstance();
  }

  private static FileChannel lock(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return channel;
      }
    } catch (OverlappingFileLockException _) {
      // A worker in this process.
    }
    channel.close();
    throw new IOException(file.getParent() + " is in use by another worker; choose another folder");
  }

  private String readOrCreateInstance() throws IOException {
    if (Files.exists(instanceFile)) {
      String kept = Files.readString(instanceFile).strip();
      if (INSTANCE.matcher(kept).matches()) {
        return kept;
      }
    }
    String fresh = UUID.randomUUID().toString();
    AtomicFile.write(instanceFile, fresh.getBytes(StandardCharsets.US_ASCII));
    return fresh;
  }

  /**
   * Returns an id that distinguishes this worker from another of its name. It stays the same after
   * a crash: the folder keeps it until the worker signs off.
   */
  String instance() {
    return instance;
  }

  /** Deletes the id, so that the folder's next worker gets another. */
  void forgetInstance() throws IOException {
    Files.deleteIfExists(instanceFile);
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
