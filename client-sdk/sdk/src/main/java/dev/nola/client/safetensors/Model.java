package dev.nola.client.safetensors;

import dev.nola.client.JsonProblem;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A model's weights: one safetensors file, or a folder with one, or a folder with shards that
 * {@value #INDEX} names. Thread-safe; the tensors' bytes are valid until it is closed.
 */
public final class Model implements AutoCloseable {
  /** The file that maps tensors to shards. */
  public static final String INDEX = "model.safetensors.index.json";

  /** The weights of a folder that has no index. */
  public static final String SINGLE = "model.safetensors";

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final Path path;
  private final List<SafetensorsFile> files;
  private final @Nullable ObjectNode index;
  private final SequencedMap<String, Tensor> tensors;
  private final Map<String, SafetensorsFile> fileOf = new HashMap<>();

  private Model(Path path, List<SafetensorsFile> files, @Nullable ObjectNode index)
      throws InvalidModelException {
    this.path = path;
    this.files = List.copyOf(files);
    this.index = index;
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    for (SafetensorsFile file : files) {
      for (Tensor tensor : file.tensors().values()) {
        if (all.put(tensor.name(), tensor) != null) {
          throw new InvalidModelException(
              file.path(), "contains a tensor that belongs to another shard, " + tensor.name());
        }
        fileOf.put(tensor.name(), file);
      }
    }
    this.tensors = Collections.unmodifiableSequencedMap(all);
  }

  /**
   * Opens a model.
   *
   * @param path a safetensors file, or a folder with {@value #INDEX} and its shards, with {@value
   *     #SINGLE}, or with one safetensors file of any name
   * @throws InvalidModelException if there is no such thing, or it breaks a rule of the format
   * @throws IOException if it cannot be read
   */
  public static Model open(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return open(path, List.of(path), null);
    }
    if (Files.exists(path.resolve(INDEX))) {
      ObjectNode index = readIndex(path.resolve(INDEX));
      List<Path> shards =
          shardNames(path.resolve(INDEX), index).stream().map(path::resolve).toList();
      Model model = open(path, shards, index);
      try {
        model.requireWhatIndexSays();
      } catch (InvalidModelException e) {
        model.close();
        throw e;
      }
      return model;
    }
    return open(path, List.of(onlyFile(path)), null);
  }

  private static Model open(Path path, List<Path> files, @Nullable ObjectNode index)
      throws IOException {
    List<SafetensorsFile> opened = new ArrayList<>();
    try {
      for (Path file : files) {
        opened.add(SafetensorsFile.open(file));
      }
      return new Model(path, opened, index);
    } catch (IOException | RuntimeException e) {
      opened.forEach(SafetensorsFile::close);
      throw e;
    }
  }

  private static Path onlyFile(Path folder) throws IOException {
    if (Files.exists(folder.resolve(SINGLE))) {
      return folder.resolve(SINGLE);
    }
    List<Path> candidates;
    try (Stream<Path> entries = Files.list(folder)) {
      candidates =
          entries
              .filter(
                  file -> isVisible(file) && file.toString().endsWith(SafetensorsFile.EXTENSION))
              .sorted()
              .toList();
    }
    if (candidates.size() != 1) {
      throw new InvalidModelException(
          folder,
          "has no %s, no %s, and %s"
              .formatted(
                  INDEX,
                  SINGLE,
                  candidates.isEmpty()
                      ? "no other safetensors file"
                      : "more than one other safetensors file, " + candidates.size()));
    }
    return candidates.getFirst();
  }

  private static boolean isVisible(Path file) {
    return !file.getFileName().toString().startsWith(".");
  }

  private static ObjectNode readIndex(Path file) throws IOException {
    try {
      JsonNode index = JSON.readTree(Files.readAllBytes(file));
      if (index instanceof ObjectNode object
          && index.get("weight_map") instanceof ObjectNode map
          && !map.isEmpty()) {
        return object;
      }
      throw new InvalidModelException(file, "has no weight_map with tensors");
    } catch (JacksonException e) {
      throw new InvalidModelException(file, "is not valid JSON: " + JsonProblem.of(e), e);
    }
  }

  /** Names of files in the folder itself, whatever a stranger's index says. */
  private static SequencedSet<String> shardNames(Path file, ObjectNode index)
      throws InvalidModelException {
    SequencedSet<String> names = new LinkedHashSet<>();
    for (Map.Entry<String, JsonNode> entry : index.get("weight_map").properties()) {
      String name = entry.getValue().isString() ? entry.getValue().asString() : "";
      if (!name.matches("[^/\\\\\\p{Cntrl}:.][^/\\\\\\p{Cntrl}:]*\\.safetensors")) {
        throw new InvalidModelException(
            file,
            "assigns tensor %s to %s; must be the name of a visible .safetensors file next to it"
                .formatted(entry.getKey(), entry.getValue()));
      }
      names.add(name);
    }
    return names;
  }

  /** A shard may hold tensors that the index does not name; it may not lack one. */
  private void requireWhatIndexSays() throws InvalidModelException {
    if (index == null) {
      return;
    }
    Map<String, SafetensorsFile> byName = new LinkedHashMap<>();
    files.forEach(file -> byName.put(file.path().getFileName().toString(), file));
    for (Map.Entry<String, JsonNode> entry : index.get("weight_map").properties()) {
      SafetensorsFile shard = byName.get(entry.getValue().asString());
      if (shard == null || !shard.tensors().containsKey(entry.getKey())) {
        throw new InvalidModelException(
            path.resolve(INDEX),
            "assigns tensor %s to %s, which has no such tensor"
                .formatted(entry.getKey(), entry.getValue().asString()));
      }
    }
  }

  /**
   * Returns the path of the file or folder.
   *
   * @return the path
   */
  public Path path() {
    return path;
  }

  /**
   * Tells whether {@link #path} is a folder.
   *
   * @return true for a folder
   */
  public boolean isFolder() {
    return Files.isDirectory(path);
  }

  /**
   * Returns the model's files, in the order in which the index first names them.
   *
   * @return the files
   */
  public List<SafetensorsFile> files() {
    return files;
  }

  /**
   * Returns a copy of {@value #INDEX}.
   *
   * @return the index, or null if there is none
   */
  public @Nullable ObjectNode index() {
    return index == null ? null : index.deepCopy();
  }

  /**
   * Returns the tensors by name.
   *
   * @return the tensors
   */
  public SequencedMap<String, Tensor> tensors() {
    return tensors;
  }

  /**
   * Reads a part of a tensor, as {@link SafetensorsFile#read} does.
   *
   * @param tensor the tensor's name
   * @param start offset of the first byte in the tensor
   * @param into receives as many bytes as it has room for
   * @throws IOException if it cannot be read, or its file has become shorter
   * @throws IllegalArgumentException if there is no such tensor
   * @throws IndexOutOfBoundsException if the tensor has not so many bytes
   */
  public void read(String tensor, long start, MemorySegment into) throws IOException {
    SafetensorsFile file = fileOf.get(tensor);
    if (file == null) {
      throw new IllegalArgumentException(path + " has no tensor " + tensor);
    }
    file.read(tensor, start, into);
  }

  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}
