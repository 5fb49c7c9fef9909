package dev.nola.registry.data;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/** Checks that the data directory can be used, or created. */
@Component
final class DataDirectoryCheck implements StartCheck {
  private final Path root;
  private final boolean shared;

  DataDirectoryCheck(
      @Value("${nola.data}") String path, @Value("${nola.database.url:}") String database) {
    this.root = Path.of(path).toAbsolutePath().normalize();
    this.shared = !database.isEmpty();
  }

  @Override
  public String subject() {
    return "data directory";
  }

  @Override
  public String run() {
    if (!Files.exists(root)) {
      Path parent = root.getParent();
      while (parent != null && !Files.exists(parent)) {
        parent = parent.getParent();
      }
      if (parent == null || !Files.isDirectory(parent) || !Files.isWritable(parent)) {
        throw failure("cannot be created in " + parent);
      }
      return root + " will be created";
    }
    if (!Files.isDirectory(root)) {
      throw failure("not a directory");
    }
    if (!Files.isWritable(root)) {
      throw failure("permission denied");
    }
    requireUnlocked();
    return root.toString();
  }

  private void requireUnlocked() {
    Path lockFile = root.resolve(DataDirectory.LOCK);
    if (!Files.exists(lockFile)) {
      return;
    }
    try (FileChannel channel =
            FileChannel.open(lockFile, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock(0, Long.MAX_VALUE, shared)) {
      if (lock == null) {
        throw failure("in use by another server");
      }
    } catch (IOException e) {
      throw failure(DataDirectory.reason(e));
    }
  }

  private StartFailure failure(String reason) {
    return new StartFailure(
        "data directory cannot be used: %s: %s".formatted(root, reason),
        "Choose a writable directory that no other server uses, with --data.",
        null);
  }
}
