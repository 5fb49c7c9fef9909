package dev.nola.trainer.worker;

import dev.nola.api.job.ObjectManifest;
import dev.nola.client.jobs.Manifests;
import dev.nola.digest.Sha256;
import dev.nola.files.AtomicFile;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Models that this machine has: folders with a {@code config.json} in a folder that the user has
 * named. A registered model is found by its revision, the digest over all files of its folder.
 * Digests of files are remembered by size and time of change, so that large models are read once.
 */
final class ModelFolders {
  private static final String CONFIG = "config.json";
  private static final int DEPTH = 4;

  private final Path memory;
  private final Map<String, Hashed> hashed = new ConcurrentHashMap<>();
  private final Map<Sha256, Path> folders = new LinkedHashMap<>();

  /** A file's digest when it had this size and time. */
  private record Hashed(long size, long modifiedMillis, String digest) {}

  /**
   * Looks for models.
   *
   * @param folder folder with the models, or null for none
   * @param memory file that remembers digests
   */
  ModelFolders(@Nullable Path folder, Path memory) throws IOException {
    this.memory = memory;
    if (folder == null) {
      return;
    }
    if (Files.exists(memory)) {
      try {
        hashed.putAll(
            JsonMapper.shared()
                .readValue(
                    Files.readAllBytes(memory), new TypeReference<Map<String, Hashed>>() {}));
      } catch (JacksonException _) {
        hashed.clear(); // they are computed again
      }
    }
    for (Path config : configs(folder)) {
      folders.put(revision(config.getParent()), config.getParent());
    }
  }

  /** Links are followed, as model folders often are links to where there is room. */
  private static List<Path> configs(Path folder) throws IOException {
    List<Path> configs = new ArrayList<>();
    Files.walkFileTree(
        folder,
        EnumSet.of(FileVisitOption.FOLLOW_LINKS),
        DEPTH,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.endsWith(CONFIG)) {
              configs.add(file);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure)
              throws IOException {
            if (failure instanceof FileSystemLoopException) {
              return FileVisitResult.CONTINUE; // visited already
            }
            throw failure;
          }
        });
    Collections.sort(configs);
    return configs;
  }

  /** Returns the revisions of all models. */
  List<Sha256> revisions() {
    return List.copyOf(folders.keySet());
  }

  /**
   * Links the files of a model into a new folder.
   *
   * @param revision digest of the model's manifest
   * @param destination folder to create
   * @return false if this machine does not have that revision, or no longer
   * @throws IOException if a file cannot be read, or a link not be created
   */
  boolean link(Sha256 revision, Path destination) throws IOException {
    Path folder = folders.get(revision);
    if (folder == null || !revision.equals(revision(folder))) {
      return false;
    }
    for (ObjectManifest.Entry entry : Manifests.of(folder, null, this::hash).files()) {
      Path link = destination.resolve(entry.path());
      Files.createDirectories(link.getParent());
      Files.createSymbolicLink(link, folder.resolve(entry.path()).toRealPath());
    }
    return true;
  }

  private Sha256 revision(Path folder) throws IOException {
    Sha256 revision = Manifests.of(folder, null, this::hash).digest();
    remember();
    return revision;
  }

  private Sha256 hash(Path file) throws IOException {
    Path real = file.toRealPath();
    long size = Files.size(real);
    long modified = Files.getLastModifiedTime(real).toMillis();
    Hashed known = hashed.get(real.toString());
    if (known != null && known.size == size && known.modifiedMillis == modified) {
      return Sha256.parse(known.digest);
    }
    Sha256 digest = Sha256.hash(real);
    hashed.put(real.toString(), new Hashed(size, modified, digest.toString()));
    return digest;
  }

  private synchronized void remember() throws IOException {
    AtomicFile.write(memory, JsonMapper.shared().writeValueAsBytes(new TreeMap<>(hashed)));
  }
}
