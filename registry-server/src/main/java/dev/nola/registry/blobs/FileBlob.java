package dev.nola.registry.blobs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A blob that is a file. */
record FileBlob(Path file, Identity identity) implements BlobStore.Blob {
  /** The inode, and what a write to it changes. */
  record Identity(@Nullable Object file, FileTime modified, long size) {}

  static FileBlob of(Path file, BasicFileAttributes attributes) {
    return new FileBlob(
        file, new Identity(attributes.fileKey(), attributes.lastModifiedTime(), attributes.size()));
  }

  @Override
  public long size() {
    return identity.size();
  }

  @Override
  public InputStream open(long offset, long length) throws IOException {
    Objects.checkFromIndexSize(offset, length, size());
    return new FileRange(FileChannel.open(file, StandardOpenOption.READ), offset, length);
  }
}
