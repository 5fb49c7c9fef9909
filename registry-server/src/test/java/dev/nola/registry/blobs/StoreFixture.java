package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;

/** A place of blobs, and what tests do to it besides a store. */
interface StoreFixture {
  /** Opens a store, as another process would. */
  BlobStore open(Clock clock) throws IOException;

  /** The local folder of uploads. */
  Path uploads();

  /** The number of files and objects, half-written ones included. */
  int count() throws IOException;

  /** Replaces the stored bytes of a blob by others. */
  void damage(Sha256 digest, byte[] bytes) throws IOException;

  /** Adds files or objects that are not blobs, near those of a blob. */
  void addForeign(Sha256 digest) throws IOException;

  /** Blobs in files of a folder. */
  record Directory(Path root) implements StoreFixture {
    @Override
    public BlobStore open(Clock clock) throws IOException {
      return DirectoryBlobStore.open(root, clock);
    }

    @Override
    public Path uploads() {
      return root.resolve("tmp");
    }

    @Override
    public int count() throws IOException {
      return Blobs.filesUnder(root).size();
    }

    @Override
    public void damage(Sha256 digest, byte[] bytes) throws IOException {
      Files.write(Blobs.fileOf(root, digest), bytes);
    }

    @Override
    public void addForeign(Sha256 digest) throws IOException {
      Path blob = Blobs.fileOf(root, digest);
      Files.writeString(root.resolve("sha256", ".DS_Store"), "");
      Files.writeString(blob.resolveSibling("note"), "");
      Files.writeString(blob.resolveSibling("0".repeat(64)), "wrong shard");
    }
  }
}
