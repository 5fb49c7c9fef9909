package dev.nola.format;

import dev.nola.digest.Sha256;
import dev.nola.files.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A {@code .nola} file: an adapter together with the digest of its reconstruction. Equal content
 * gives equal bytes. {@code AdapterFileReader} says what reading checks; reading does not
 * reconstruct, so verifying the digest is left to {@code dev.nola.reconstruct}.
 *
 * @param adapter the content
 * @param reconstructionDigest root of the digest tree over all factors and dense tensors (SPEC.md
 *     section 8)
 */
public record AdapterFile(Adapter adapter, Sha256 reconstructionDigest) {
  /** The format version that is written, and the only one that is read. */
  public static final String VERSION = "1.0";

  /** The file name extension. */
  public static final String EXTENSION = ".nola";

  /** The media type. */
  public static final String MEDIA_TYPE = "application/vnd.nola.adapter";

  /** Dense tensors start at multiples of this many bytes from the start of the file. */
  public static final int DENSE_ALIGNMENT = 64;

  /**
   * Reads a file. Dense tensors stay memory-mapped for as long as they are reachable, so the file
   * must not be truncated or rewritten in place meanwhile (replacing it by renaming another over it
   * is harmless).
   *
   * @param path a regular file
   * @return the file's content, checked by all rules of SPEC.md but its reconstruction digest
   * @throws AdapterException if the bytes are refused; the subtype says why
   * @throws IOException if the file cannot be read
   */
  public static AdapterFile read(Path path) throws IOException {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new IOException("not a regular file"); // a pipe would look like an empty file
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment file = channel.map(MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
      return AdapterFileReader.read(file);
    }
  }

  /**
   * Reads a file from memory.
   *
   * @param bytes the whole file; may be changed afterwards
   * @return the file's content, checked by all rules of SPEC.md but its reconstruction digest
   * @throws AdapterException if the bytes are refused; the subtype says why
   */
  public static AdapterFile read(byte[] bytes) throws AdapterException {
    return AdapterFileReader.read(MemorySegment.ofArray(bytes.clone()));
  }

  /**
   * Returns the file's bytes.
   *
   * @return the whole file, in a new array
   * @throws IllegalArgumentException if the manifest or the codes section exceeds its limit
   */
  public byte[] toBytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      new AdapterFileWriter(Channels.newChannel(out)).write(this);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return out.toByteArray();
  }

  /**
   * Writes the file beside {@code path}, forces it to disk and renames it: a reader sees the old
   * file, or none, or all of the new one.
   *
   * @param path the destination; replaced if it exists
   * @throws IOException if the file cannot be written; nothing is left behind then
   * @throws IllegalArgumentException if the manifest or the codes section exceeds its limit
   */
  public void write(Path path) throws IOException {
    AtomicFile.write(path, channel -> new AdapterFileWriter(channel).write(this));
  }

  /**
   * Checks the digest of a reconstruction.
   *
   * @param actual root of the digest tree over what was reconstructed
   * @throws DigestMismatchException if it is not {@link #reconstructionDigest}
   */
  public void requireDigest(Sha256 actual) throws DigestMismatchException {
    if (!actual.equals(reconstructionDigest)) {
      throw new DigestMismatchException(reconstructionDigest, actual);
    }
  }
}
