package dev.nola.cli;

import dev.nola.api.name.Reference;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.command.Output;
import dev.nola.command.ProgressBar;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Opens what is given as {@code FILE_OR_REF}: a file if there is one of that name. */
final class AdapterSource {
  @Mixin private Registry registry = new Registry();

  @Option(
      names = "--offline",
      description =
          "Do not contact the registry; use the versions that references resolved to when last pulled.")
  private boolean offline;

  /**
   * An adapter and what it was opened as.
   *
   * @param name the file's path, or the reference by version number
   * @param path of the file, in the cache if it was pulled
   */
  record Opened(String name, Path path, AdapterFile file) {}

  boolean isOffline() {
    return offline;
  }

  /** The registry that references hold in. */
  URI registry(Output output) {
    return registry.url(output);
  }

  /** A client for a registry that a lock file names. */
  NolaClient client(URI named, Output output) throws IOException {
    return registry.client(named, offline, output);
  }

  Opened open(String fileOrReference, Output output) throws IOException, InterruptedException {
    if (isFile(fileOrReference)) {
      Path path = Path.of(fileOrReference);
      return new Opened(
          fileOrReference, path, naming(fileOrReference, () -> AdapterFile.read(path)));
    }
    Pulled pulled = pull(Reference.parse(fileOrReference), output);
    String name = pulled.pinned().toString();
    return new Opened(name, pulled.path(), naming(name, pulled::open));
  }

  /** Something that is done with an adapter. */
  @FunctionalInterface
  interface Reading<T> {
    T get() throws IOException;
  }

  /** Runs an action and puts the adapter's name before the message of its failure. */
  static <T> T naming(String name, Reading<T> reading) throws IOException {
    try {
      return reading.get();
    } catch (AdapterException e) {
      throw new RefusedAdapterException(name, e);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(name + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** Whether this means a file: one that is there, or what cannot be a reference. */
  static boolean isFile(String fileOrReference) throws NoSuchFileException {
    if (Files.exists(Path.of(fileOrReference))) {
      return true;
    }
    if (fileOrReference.endsWith(AdapterFile.EXTENSION)) {
      throw new NoSuchFileException(fileOrReference);
    }
    try {
      Reference.parse(fileOrReference);
    } catch (IllegalArgumentException notAReference) {
      throw new NoSuchFileException(
          fileOrReference, null, "no such file, and not a reference such as acme/mood@1.2.0");
    }
    return false;
  }

  Pulled pull(Reference reference, Output output) throws IOException, InterruptedException {
    Pulled pulled;
    try (NolaClient client = client(registry(output), output);
        ProgressBar bar = output.bar("pull")) {
      pulled = client.pull(reference, bar);
    }
    if (pulled.yanked() != null) {
      output.warn(
          "%s is yanked and should no longer be used: %s"
              .formatted(pulled.pinned(), pulled.yanked()));
    }
    warnOfDispute(pulled, output);
    return pulled;
  }

  /** Warns if a worker contradicts the bits of a file that was pulled. */
  static void warnOfDispute(Pulled pulled, Output output) {
    if (pulled.disputed()) {
      output.warn(
          "%s is disputed: a worker attests other bits, unconfirmed".formatted(pulled.pinned()));
    }
  }
}
