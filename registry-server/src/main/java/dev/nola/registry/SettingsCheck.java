package dev.nola.registry;

import dev.nola.registry.data.StartFailure;
import dev.nola.text.Suggestion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Refuses to start with settings of the server that do not exist, which Spring would ignore: a typo
 * must not leave a registry more open than its operator wants.
 */
final class SettingsCheck implements EnvironmentPostProcessor, Ordered {
  private static final String PREFIX = "nola.";
  private static final String METADATA = "META-INF/spring-configuration-metadata.json";
  private static final String INDEX = "(?:\\[\\d+]|_\\d+(?=_|$))";
  private static final String ADMIN_TOKEN = "NOLA_ADMIN_TOKEN"; // application.yaml refers to it
  private static final String FORWARDING = "server.forward-headers-strategy";
  private static final Set<String> OF_THE_PROCESS =
      Set.of(
          StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
          StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME);

  /** After those that read files. */
  @Override
  public int getOrder() {
    return LOWEST_PRECEDENCE;
  }

  @Override
  public void postProcessEnvironment(
      ConfigurableEnvironment environment, SpringApplication application) {
    Map<String, String> known = known();
    for (PropertySource<?> source : environment.getPropertySources()) {
      if (source instanceof EnumerablePropertySource<?> named) {
        boolean ofProcess = OF_THE_PROCESS.contains(source.getName());
        Arrays.stream(named.getPropertyNames())
            .filter(name -> isMeant(name, ofProcess, known))
            .filter(name -> !known.containsKey(uniform(name)))
            .findFirst()
            .ifPresent(name -> refuse(name, known));
      }
    }
    requireOwnForwarding(environment.getProperty(FORWARDING, "none"));
  }

  /**
   * Returns whether a name is meant to be a setting. Of those of the process, others of this
   * project have the prefix, too, such as {@code NOLA_REGISTRY}: there it must be in a group of
   * settings, or resemble a setting.
   */
  private static boolean isMeant(String name, boolean ofProcess, Map<String, String> known) {
    String lower = name.toLowerCase(Locale.ROOT).replace('_', '.');
    if (!ofProcess || !lower.startsWith(PREFIX)) {
      return name.startsWith(PREFIX);
    }
    boolean isOfGroup =
        known.values().stream()
            .map(setting -> setting.substring(0, setting.lastIndexOf('.') + 1))
            .anyMatch(group -> !group.equals(PREFIX) && lower.startsWith(group));
    return isOfGroup || (!name.equals(ADMIN_TOKEN) && nearest(name, known).isPresent());
  }

  private static void refuse(String name, Map<String, String> known) {
    throw new StartFailure(
        "unknown setting " + name,
        nearest(name, known).map(setting -> "Did you mean " + setting + "? ").orElse("")
            + "registry-server/README.md lists all settings.",
        null);
  }

  /** Returns the setting that a name is probably meant to be. */
  private static Optional<String> nearest(String name, Map<String, String> known) {
    Parts parts = Parts.of(name);
    return known.values().stream()
        .filter(setting -> parts.resemble(setting))
        .min(Comparator.comparingInt(setting -> Suggestion.edits(uniform(name), uniform(setting))));
  }

  /**
   * A name like those of settings, in lower case without separators.
   *
   * @param group such as {@code access}
   * @param key within the group; empty for the group itself
   */
  private record Parts(String group, String key) {
    static Parts of(String name) {
      String[] parts = name.toLowerCase(Locale.ROOT).replaceAll(INDEX, "").split("[._]", 3);
      return new Parts(
          parts.length < 2 ? "" : uniform(parts[1]), parts.length < 3 ? "" : uniform(parts[2]));
    }

    /** Also without its group, or with another, if a setting's key has several words. */
    boolean resemble(String setting) {
      Parts other = of(setting);
      return (isTypo(group, other.group) && isTypo(key, other.key))
          || (setting.indexOf('-') > 0 && (group + key).endsWith(other.key));
    }

    private static boolean isTypo(String word, String correct) {
      return Suggestion.edits(word, correct) <= (correct.length() + 2) / 4;
    }
  }

  /**
   * Says which value of a setting has another type.
   *
   * @param failure of a conversion
   * @return key, value and rule in a sentence
   */
  static String invalid(BindException failure) {
    ConfigurationProperty property = failure.getProperty();
    Class<?> type = failure.getTarget().getType().resolve(Object.class);
    return "invalid %s: %s; must be %s"
        .formatted(
            property == null ? failure.getName() : property.getName(),
            property == null ? "no value" : property.getValue(),
            switch (type.getSimpleName()) {
              case "boolean", "Boolean" -> "true or false";
              case "int", "Integer", "long", "Long" -> "an integer";
              case "Duration" -> "a duration such as 30s";
              case "DataSize" -> "a size such as 64MB";
              case "InetAddress" -> "an address of this machine";
              default -> "a " + type.getSimpleName();
            });
  }

  private static void requireOwnForwarding(String strategy) {
    if (!strategy.equalsIgnoreCase("none")) {
      throw new StartFailure(
          FORWARDING + "=" + strategy + " would believe every client's X-Forwarded-For",
          "Remove it, and name the proxies in nola.access.trusted-proxies.",
          null);
    }
  }

  /** Returns all settings, by their uniform names. */
  private static Map<String, String> known() {
    Map<String, String> known = new TreeMap<>(Map.of("noladata", "nola.data"));
    try {
      for (URL url :
          Collections.list(SettingsCheck.class.getClassLoader().getResources(METADATA))) {
        try (InputStream in = url.openStream()) {
          names(JsonMapper.shared().readTree(in))
              .filter(name -> name.startsWith(PREFIX))
              .forEach(name -> known.put(uniform(name), name));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return known;
  }

  private static Stream<String> names(JsonNode metadata) {
    return metadata
        .at("/properties")
        .valueStream()
        .map(property -> property.at("/name").asString());
  }

  /** Returns the same for all spellings that Spring accepts, without the indexes of lists. */
  private static String uniform(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll(INDEX, "").replaceAll("[^a-z0-9]", "");
  }
}
