package dev.nola.endtoend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.json.JsonMapper;

/** The content of docker-compose.yml and its Dockerfiles, interpreted the way Docker does. */
record Compose(Map<String, Map<String, Object>> services, Map<String, Object> secrets) {
  private static final Path ROOT = Path.of("..");

  /**
   * {@code SOURCE:TARGET} or {@code SOURCE:TARGET:ro}; a source may be {@code ${NAME:-DEFAULT}}.
   */
  private static final Pattern MOUNT =
      Pattern.compile("(?:\\$\\{\\w+:-)?([^:}]+)}?:(/[^:]+)(?::ro)?");

  /** {@code ${NAME:+TEXT}}: the text if the variable is set. */
  private static final Pattern CONDITION = Pattern.compile("\\$\\{(\\w+):\\+([^}]*)}");

  /**
   * The instructions of a Dockerfile's stage, with those of the stages that it is built from, and
   * the base images of all stages.
   */
  record Dockerfile(Map<String, String> instructions, List<String> baseImages) {
    List<String> list(String instruction) {
      return List.of(
          JsonMapper.shared()
              .readValue(instructions.getOrDefault(instruction, "[]"), String[].class));
    }
  }

  /** The command and environment with which a container starts. */
  record Start(List<String> command, Map<String, String> environment) {}

  static Compose read() throws IOException {
    Map<String, Object> file = new Yaml().load(text("docker-compose.yml"));
    return new Compose(map(file.get("services")), map(file.get("secrets")));
  }

  static String text(String file) throws IOException {
    return Files.readString(ROOT.resolve(file));
  }

  /** Finds the Dockerfile through {@code build} of any service with the same image. */
  Dockerfile dockerfileOf(String service) throws IOException {
    Object image = services.get(service).get("image");
    for (Map<String, Object> other : services.values()) {
      if (other.get("build") instanceof Map<?, ?> build && image.equals(other.get("image"))) {
        Object target = build.get("target");
        return dockerfile(
            String.valueOf(build.get("dockerfile")), target == null ? null : target.toString());
      }
    }
    throw new IllegalArgumentException(service + " uses an image that no service builds: " + image);
  }

  /** Reads a Dockerfile as a build without a target does. */
  static Dockerfile dockerfile(String file) throws IOException {
    return dockerfile(file, null);
  }

  /**
   * Reads a Dockerfile.
   *
   * @param target name of the stage to be built; null for the last
   */
  static Dockerfile dockerfile(String file, @Nullable String target) throws IOException {
    Map<String, Map<String, String>> stages = new LinkedHashMap<>();
    Map<String, String> stage = new LinkedHashMap<>();
    List<String> baseImages = new ArrayList<>();
    String joined = text(file).replaceAll("(?m)^#.*\n", "").replaceAll("\\\\\n", " ");
    for (String line : joined.lines().filter(l -> !l.isBlank()).toList()) {
      String[] words = line.strip().split("\\s+", 2);
      if (words[0].equals("FROM")) {
        String[] from = words[1].split("\\s+"); // BASE, or BASE AS NAME
        if (!stages.containsKey(from[0])) {
          baseImages.add(from[0]);
        }
        stage = new LinkedHashMap<>(stages.getOrDefault(from[0], Map.of()));
        stages.put(from[from.length - 1], stage);
      } else {
        stage.merge(words[0], words[1], (before, more) -> before + "\n" + more);
      }
    }
    if (target != null && !stages.containsKey(target)) {
      throw new IllegalArgumentException(file + " has no stage " + target);
    }
    return new Dockerfile(target == null ? stage : stages.get(target), baseImages);
  }

  /** Combines the settings of a service with those of its image, which they override. */
  Start startOf(String service) throws IOException {
    Dockerfile image = dockerfileOf(service);
    Map<String, Object> settings = services.get(service);
    List<String> command = new ArrayList<>();
    if (settings.containsKey("entrypoint")) {
      command.addAll(strings(settings.get("entrypoint")));
      command.addAll(strings(settings.getOrDefault("command", List.of())));
    } else {
      command.addAll(image.list("ENTRYPOINT"));
      command.addAll(
          settings.containsKey("command") ? strings(settings.get("command")) : image.list("CMD"));
    }
    Map<String, String> environment = new TreeMap<>();
    for (String line : image.instructions().getOrDefault("ENV", "").lines().toList()) {
      environment.put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
    }
    environment.putAll(environmentOf(service));
    return new Start(command, environment);
  }

  /** Returns the environment of a service without any profile. */
  Map<String, String> environmentOf(String service) {
    return environmentOf(service, Map.of());
  }

  /**
   * Returns the environment of a service.
   *
   * @param variables the variables of the shell that runs Compose
   */
  Map<String, String> environmentOf(String service, Map<String, String> variables) {
    Map<String, String> environment = new TreeMap<>();
    Map<String, Object> settings = map(services.get(service).getOrDefault("environment", Map.of()));
    settings.forEach(
        (name, value) ->
            environment.put(
                name,
                CONDITION
                    .matcher(String.valueOf(value))
                    .replaceAll(
                        found ->
                            variables.getOrDefault(found.group(1), "").isEmpty()
                                ? ""
                                : found.group(2))));
    return environment;
  }

  /** Maps file names below /run/secrets in the container to names of secrets. */
  Map<String, String> secretsOf(String service) {
    Map<String, String> files = new TreeMap<>();
    for (Object secret : (List<?>) services.get(service).getOrDefault("secrets", List.of())) {
      if (secret instanceof Map<?, ?> described) {
        files.put(String.valueOf(described.get("target")), String.valueOf(described.get("source")));
      } else {
        files.put(String.valueOf(secret), String.valueOf(secret));
      }
    }
    return files;
  }

  /** Maps paths in the container to names of volumes, or paths of the host. */
  Map<String, String> mountsOf(String service) {
    Map<String, String> mounts = new TreeMap<>();
    for (String mount : strings(services.get(service).getOrDefault("volumes", List.of()))) {
      Matcher parts = MOUNT.matcher(mount);
      if (!parts.matches()) {
        throw new IllegalArgumentException(service + " has an unsupported volume: " + mount);
      }
      mounts.put(parts.group(2), parts.group(1));
    }
    return mounts;
  }

  /** Returns the command of a service's health check. */
  List<String> healthCheckOf(String service) {
    Map<String, Object> check = map(services.get(service).get("healthcheck"));
    List<String> words = strings(check.get("test"));
    if (!words.getFirst().equals("CMD")) {
      throw new IllegalArgumentException(service + " has a health check other than CMD: " + words);
    }
    return words.subList(1, words.size());
  }

  static List<String> strings(Object list) {
    return ((List<?>) list).stream().map(String::valueOf).toList();
  }

  @SuppressWarnings(
      "unchecked") // from YAML: a value that is not a map fails when it is used as one
  private static <V> Map<String, V> map(Object value) {
    return (Map<String, V>) value;
  }
}
