package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Reads the bytes of a data file, uncompressed, and computes their digest. */
final class DataFile extends FilterInputStream {
  private static final int BUFFER = 1 << 16;

  private final Path path;
  private final MessageDigest digest = Sha256.newMessageDigest();

  private DataFile(Path path, InputStream in) {
    super(in);
    this.path = path;
  }

  static DataFile open(Path path) throws IOException {
    if (Files.isDirectory(path)) { // which opens, and fails at the first byte without its name
      throw new FileSystemException(path.toString(), null, "is a folder; must be a file");
    }
    InputStream in = Files.newInputStream(path);
    if (!path.toString().endsWith(".gz")) {
      return new DataFile(path, in);
    }
    try {
      return new DataFile(path, new GZIPInputStream(in, BUFFER));
    } catch (ZipException | EOFException e) {
      in.close();
      throw invalidGzip(path, e);
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  /** Returns the error that the file breaks a rule. */
  IOException invalid(String rule) {
    return new InvalidDataException(path + ": " + rule);
  }

  /** Reads the rest, and returns the SHA-256 of all uncompressed bytes. */
  Sha256 digest() throws IOException {
    byte[] buffer = new byte[BUFFER];
    int count;
    do {
      count = read(buffer, 0, buffer.length);
    } while (count >= 0);
    return Sha256.finish(digest);
  }

  @Override
  public int read() throws IOException {
    byte[] single = new byte[1];
    return read(single, 0, 1) < 0 ? -1 : single[0] & 0xFF;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    try {
      int count = super.read(buffer, offset, length);
      if (count > 0) {
        digest.update(buffer, offset, count);
      }
      return count;
    } catch (ZipException | EOFException e) {
      throw invalidGzip(path, e);
    }
  }

  private static IOException invalidGzip(Path path, IOException e) {
    String problem = e instanceof EOFException ? "it ends too early" : e.getMessage();
    return new InvalidDataException(path + ": not a valid gzip file: " + problem, e);
  }
}
