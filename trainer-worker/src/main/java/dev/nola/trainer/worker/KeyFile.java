package dev.nola.trainer.worker;

import dev.nola.api.attestation.SigningKey;
import dev.nola.files.UserDirectories;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;

/** The file with the key that a worker signs with; only its owner can read it. */
public final class KeyFile {
  private KeyFile() {}

  /**
   * Returns the usual key file, {@code worker-key.pem} in the user's configuration directory.
   *
   * @param environment environment variables
   * @return path of the file
   */
  public static Path standard(Map<String, String> environment) {
    return UserDirectories.config(environment).resolve("worker-key.pem");
  }

  /**
   * Reads a key, and creates one if the file does not exist.
   *
   * @param file the key file
   * @return the key
   * @throws IOException if the file cannot be read or written, does not contain a key, or others
   *     can read or change it
   */
  public static SigningKey readOrMake(Path file) throws IOException {
    if (!Files.exists(file)) {
      make(file);
    }
    if (UserDirectories.isOpenToOthers(file)) {
      throw new IOException(
          "%s: secret key can be read or changed by other users; delete it, so that a new key is"
                  .formatted(file)
              + " created that only you can access");
    }
    try {
      return SigningKey.parsePem(Files.readString(file));
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  private static void make(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      UserDirectories.createPrivate(folder);
    }
    byte[] pem = SigningKey.generate().toPem().getBytes(StandardCharsets.US_ASCII);
    try (SeekableByteChannel channel =
        Files.newByteChannel(
            file,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            UserDirectories.ownerOnly("rw-------"))) {
      ByteBuffer rest = ByteBuffer.wrap(pem);
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
    } catch (FileAlreadyExistsException _) {
      // Another worker has just created it.
    }
  }
}
