package dev.nola.registry.hub;

import dev.nola.digest.Sha256;
import dev.nola.registry.web.Refusal;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.springframework.util.FileSystemUtils;

/** The files of a commit, in a folder of their own until they are published or refused. */
final class CommitFolder implements AutoCloseable {
  private static final int MAX_TEXT = 1 << 20;

  private final Path folder;
  private final Set<CommitFile> files = EnumSet.noneOf(CommitFile.class);

  private CommitFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * Decodes the files of a commit.
   *
   * @param parent where the folder is created
   * @param body of the commit
   * @return the folder, to be closed
   * @throws Refusal if a content is not in the encoding that it states, or a text is too large
   * @throws IOException if the files cannot be written
   */
  static CommitFolder create(Path parent, CommitBody body) throws IOException {
    CommitFolder created = new CommitFolder(Files.createTempDirectory(parent, "commit-"));
    try {
      body.decode(created::add);
      return created;
    } catch (IOException | RuntimeException e) {
      created.close();
      throw e;
    }
  }

  /**
   * Removes folders that nothing was written to for long. Other servers may share their parent.
   *
   * @param parent where the folders are; need not exist
   * @param limit folders modified before it are removed
   * @throws IOException if one cannot be removed
   */
  static void removeOlder(Path parent, Instant limit) throws IOException {
    if (!Files.isDirectory(parent)) {
      return;
    }
    try (Stream<Path> folders = Files.list(parent)) {
      for (Path folder : folders.toList()) {
        if (Files.getLastModifiedTime(folder).toInstant().isBefore(limit)) {
          FileSystemUtils.deleteRecursively(folder);
        }
      }
    }
  }

  /** Returns the folder. */
  Path path() {
    return folder;
  }

  /** Returns the path of a file, which need not exist. */
  Path path(CommitFile file) {
    return folder.resolve(file.path());
  }

  /** Returns the files that the commit has. */
  Set<CommitFile> files() {
    return EnumSet.copyOf(files);
  }

  /** Returns how the commit becomes a version. */
  CommitSettings settings() throws IOException {
    return files.contains(CommitFile.SETTINGS)
        ? CommitSettings.parse(Files.readString(path(CommitFile.SETTINGS)))
        : CommitSettings.NONE;
  }

  /** Returns the files that differ from those of a revision. */
  Set<CommitFile> changed(List<RepositoryFile> revision) throws IOException {
    Set<CommitFile> changed = EnumSet.copyOf(files);
    for (RepositoryFile file : revision) {
      CommitFile same = CommitFile.of(file.path());
      if (files.contains(same) && Sha256.hash(path(same)).equals(file.digest())) {
        changed.remove(same);
      }
    }
    return changed;
  }

  /** Adds a file, which the commit need not have. */
  OutputStream add(CommitFile file) throws IOException {
    files.add(file);
    OutputStream out = Files.newOutputStream(path(file));
    return file.isBinary() ? out : new Limited(out, file);
  }

  @Override
  public void close() throws IOException {
    FileSystemUtils.deleteRecursively(folder);
  }

  /** Refuses a text that would take much memory. */
  private static final class Limited extends FilterOutputStream {
    private final CommitFile file;
    private long count;

    Limited(OutputStream out, CommitFile file) {
      super(out);
      this.file = file;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      count += length;
      if (count > MAX_TEXT) {
        throw Refusal.invalid(
            file.path(),
            "file too large: %s; the limit is %d bytes".formatted(file.path(), MAX_TEXT));
      }
      out.write(bytes, offset, length);
    }
  }
}
