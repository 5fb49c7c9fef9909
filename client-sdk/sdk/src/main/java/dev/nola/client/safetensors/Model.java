package dev.nola.client.safetensors;

import dev.nola.client.JsonProblem;
import dev.nola.client.PythonJson;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedCollection;
import java.util.SequencedMap;
import java.util.SequencedSet;
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

  /** The file with the model's type and settings. */
  public static final String CONFIG = "config.json";

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final Path path;
  private final List<SafetensorsFile> files;
  private final @Nullable ObjectNode index;
  private final @Nullable ObjectNode config;
  private final @Nullable InvalidModelException configFailure;
  private final SequencedMap<String, Tensor> tensors;
  private final Map<String, SafetensorsFile> fileOf = new HashMap<>();
  private final @Nullable Quantization quantization;

  private Model(Path path, List<SafetensorsFile> files, @Nullable ObjectNode index)
      throws IOException {
    this.path = path;
    this.files = List.copyOf(files);
    this.index = index;
    ObjectNode json = null;
    InvalidModelException failure = null;
    try {
      json = readConfig(path.resolve(CONFIG));
    } catch (InvalidModelException e) {
      failure = e;
    }
    this.config = json;
    this.configFailure = failure;
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    for (SafetensorsFile file : files) {
      for (Tensor tensor : file.tensors().values()) {
        if (isOf(file, tensor.name())) {
          all.put(tensor.name(), tensor);
          fileOf.put(tensor.name(), file);
        }
      }
    }
    this.tensors = Collections.unmodifiableSequencedMap(all);
    this.quantization = Quantization.of(all, quantizationConfig()).orElse(null);
  }

  /**
   * Returns whether the index assigns a tensor to a file; without an index, every file has its own.
   */
  private boolean isOf(SafetensorsFile file, String tensor) {
    return index == null
        || file.path()
            .getFileName()
            .toString()
            .equals(index.get("weight_map").path(tensor).asString(""));
  }

  /** Returns how the weights are quantized according to the config; null if it does not say. */
  private @Nullable JsonNode quantizationConfig() {
    if (config == null) {
      return null;
    }
    JsonNode found = config.get("quantization_config");
    return found == null ? config.path("text_config").get("quantization_config") : found;
  }

  private static @Nullable ObjectNode readConfig(Path file) throws IOException {
    if (BrokenLink.matches(file)) {
      throw new InvalidModelException(file, BrokenLink.PREDICATE);
    }
    if (!Files.isRegularFile(file)) {
      return null;
    }
    try {
      if (PythonJson.mapper().readTree(Files.readAllBytes(file)) instanceof ObjectNode object) {
        return object;
      }
      throw new InvalidModelException(file, "is not a JSON object");
    } catch (JacksonException e) {
      throw new InvalidModelException(file, "is not valid JSON: " + JsonProblem.of(e), e);
    }
  }

  /**
   * Opens a model.
   *
   * @param path a safetensors file, or a folder with {@value #INDEX} and its shards, with {@value
   *     #SINGLE}, or with one safetensors file of any name
   * @throws InvalidModelException if the folder has no weights, a file breaks a rule of the format,
   *     or the model is quantized
   * @throws IOException if it cannot be read
   */
  public static Model open(Path path) throws IOException {
    Model model = openQuantized(path);
    if (model.quantization != null) {
      model.close();
      throw new InvalidModelException(path, model.quantization.predicate());
    }
    return model;
  }

  /**
   * Opens a model whose elements may be codes.
   *
   * @param path as of {@link #open}
   * @return the model, whose {@link #quantization} says what its elements are
   * @throws InvalidModelException if the folder has no weights, or a file breaks a rule of the
   *     format
   * @throws IOException if it cannot be read
   */
  public static Model openQuantized(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return open(path, List.of(path), null);
    }
    BrokenLink.refuse(path.resolve(INDEX));
    if (Files.exists(path.resolve(INDEX))) {
      ObjectNode index = readIndex(path.resolve(INDEX));
      List<Path> shards =
          shardNames(path.resolve(INDEX), index).stream().map(path::resolve).toList();
      for (Path shard : shards) {
        if (Files.notExists(shard)) {
          throw new NoSuchFileException(
              shard.toString(),
              null,
              "no such file, but the index assigns tensors to it; download it");
        }
      }
      Model model = open(path, shards, index);
      try {
        model.requireWhatIndexSays();
      } catch (InvalidModelException e) {
        model.close();
        throw e;
      }
      return model;
    }
    return open(path, List.of(OnlyFile.of(path)), null);
  }

  private static Model open(Path path, List<Path> files, @Nullable ObjectNode index)
      throws IOException {
    List<SafetensorsFile> opened = new ArrayList<>();
    try {
      for (Path file : files) {
        BrokenLink.refuse(file);
        opened.add(SafetensorsFile.open(file));
      }
      return new Model(path, opened, index);
    } catch (IOException | RuntimeException e) {
      opened.forEach(SafetensorsFile::close);
      throw e;
    }
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

  /** A shard may have tensors that the index does not assign to it; it may not lack one. */
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
   * Returns the model's tensors in one of its files, without those that the index assigns to
   * another file, or to none, which loaders ignore too.
   *
   * @param file one of {@link #files}
   * @return its tensors, in the order of their bytes
   */
  public SequencedCollection<Tensor> tensors(SafetensorsFile file) {
    return file.tensors().values().stream()
        .filter(tensor -> fileOf.get(tensor.name()) == file)
        .toList();
  }

  /**
   * Returns how the weights are quantized.
   *
   * @return the kind; empty if their elements are values
   */
  public Optional<Quantization> quantization() {
    return Optional.ofNullable(quantization);
  }

  /**
   * Returns a copy of {@value #INDEX}.
   *
   * @return the index, or null if absent
   */
  public @Nullable ObjectNode index() {
    return index == null ? null : index.deepCopy();
  }

  /**
   * Returns a copy of {@value #CONFIG}.
   *
   * @return the config, or null if absent
   * @throws InvalidModelException if it is not a JSON object, which does not keep a model from
   *     being opened
   */
  public @Nullable ObjectNode config() throws InvalidModelException {
    if (configFailure != null) {
      throw configFailure;
    }
    return config == null ? null : config.deepCopy();
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
   * @throws IllegalArgumentException if the tensor does not exist
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
