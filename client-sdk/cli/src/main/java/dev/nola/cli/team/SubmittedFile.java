package dev.nola.cli.team;

import dev.nola.api.job.JobFileKeys;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.ObjectManifest;
import dev.nola.client.JsonProblem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A file for {@code nola job submit}: the job file of {@code nola train}, or a whole request of the
 * REST API. JSON is YAML, too.
 */
final class SubmittedFile {
  private static final int MAX_BYTES = 1 << 16;
  private static final int MAX_DEPTH = 12;
  private static final JsonMapper STRICT =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private final String name;
  private final Map<String, Object> content;

  private SubmittedFile(String name, Map<String, Object> content) {
    this.name = name;
    this.content = content;
  }

  /**
   * Reads a file.
   *
   * @param file the file
   * @return its content, of which only the syntax is checked
   * @throws IllegalArgumentException if it is too large or not a YAML mapping
   * @throws IOException if it cannot be read
   */
  static SubmittedFile read(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    }
    if (bytes.length > MAX_BYTES) {
      throw new IllegalArgumentException(
          "%s has more than %d bytes, the limit of a job file".formatted(file, MAX_BYTES));
    }
    LoaderOptions options = new LoaderOptions();
    options.setNestingDepthLimit(MAX_DEPTH);
    options.setMaxAliasesForCollections(0);
    options.setAllowDuplicateKeys(false);
    Object yaml;
    try {
      yaml = new Yaml(new SafeConstructor(options)).load(new String(bytes, StandardCharsets.UTF_8));
    } catch (YAMLException e) {
      throw new IllegalArgumentException(
          "%s: invalid YAML: %s".formatted(file, e.getMessage().lines().findFirst().orElse("")), e);
    }
    if (!(yaml instanceof Map<?, ?> map)) {
      throw new IllegalArgumentException(
          "%s is not a job: it must have keys such as task and data, or type".formatted(file));
    }
    Map<String, Object> content = new LinkedHashMap<>();
    map.forEach((key, value) -> content.put(String.valueOf(key), value));
    return new SubmittedFile(file.toString(), content);
  }

  /** Tells whether the file is a whole request, with its type. */
  boolean isRequest() {
    return content.containsKey("type");
  }

  /**
   * Returns the request that the file is.
   *
   * @throws IllegalArgumentException if it is not a request
   */
  JobRequest request() {
    try {
      return STRICT.convertValue(content, JobRequest.class);
    } catch (DatabindException e) {
      throw new IllegalArgumentException(
          "%s is not a request: %s".formatted(name, JsonProblem.ofRecord(e)), e);
    }
  }

  /**
   * Returns the job of a job file as a registry takes it: without the base model, which the request
   * names, and with its data files as paths within a dataset.
   *
   * @param files of the dataset
   * @return the job's keys
   * @throws IllegalArgumentException if the dataset lacks a data file
   */
  Map<String, Object> job(List<ObjectManifest.Entry> files) {
    Map<String, Object> job = new LinkedHashMap<>(content);
    if (job.get(JobFileKeys.MODEL) instanceof Map<?, ?> model) {
      Map<Object, Object> rest = new LinkedHashMap<>(model);
      rest.remove(JobFileKeys.BASE);
      if (rest.isEmpty()) {
        job.remove(JobFileKeys.MODEL);
      } else {
        job.put(JobFileKeys.MODEL, rest);
      }
    }
    if (job.get(JobFileKeys.DATA) instanceof Map<?, ?> data) {
      Map<Object, Object> mapped = new LinkedHashMap<>(data);
      List<String> paths = files.stream().map(ObjectManifest.Entry::path).toList();
      JobFileKeys.dataFiles(content)
          .forEach((key, path) -> mapped.put(key, within(key, String.valueOf(path), paths)));
      job.put(JobFileKeys.DATA, mapped);
    }
    return job;
  }

  /** Tells whether the job file names a base model. */
  boolean hasBase() {
    return JobFileKeys.hasBase(content);
  }

  /** Returns the dataset's path of a file, or folder, that the job names by its path here. */
  private String within(String key, String path, List<String> files) {
    Optional<String> found =
        JobFileKeys.paths(content, files).stream()
            .filter(entry -> path.equals(entry) || path.endsWith("/" + entry))
            .max((left, right) -> Integer.compare(left.length(), right.length()));
    return found.orElseThrow(
        () ->
            new IllegalArgumentException(
                "%s: data.%s %s is not in the dataset; it has %s"
                    .formatted(
                        name, key, path, String.join(", ", files.stream().limit(10).toList()))));
  }
}
