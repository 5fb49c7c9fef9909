package dev.nola.trainer.job;

import dev.nola.text.Suggestion;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** The values of a job file by key, and the problems of the file. */
final class Settings {
  /** Longest part of a value that a problem shows, in characters. */
  private static final int MAX_SHOWN = 60;

  private final List<String> problems = new ArrayList<>();
  private final Map<String, Object> entries = new LinkedHashMap<>();
  private final Map<Key<?>, Object> values = new HashMap<>();

  /** Paths of groups that have another value than a mapping. */
  private final Set<String> invalidGroups = new HashSet<>();

  private Settings() {}

  /** Reads a document by {@link Keys}. */
  static Settings of(@Nullable Object yaml) {
    Settings settings = new Settings();
    if (yaml instanceof Map<?, ?> map) {
      settings.flatten("", map);
      Keys.ALL.forEach(settings::read);
      Keys.ALTERNATIVES.forEach(settings::requireOne);
      Keys.ALL.forEach(settings::requireUse);
    } else {
      settings.problems.add("must be a mapping of keys to values");
    }
    return settings;
  }

  List<String> problems() {
    return problems;
  }

  /** Returns the value of a key that has one, in the file or by default. */
  <T> T get(Key<T> key) {
    return Objects.requireNonNull(find(key), key.path());
  }

  /** Returns the value of a key, or null if it has none, in the file or by default. */
  @SuppressWarnings("unchecked") // read() puts in what the key's kind made
  <T> @Nullable T find(Key<T> key) {
    return (T) values.get(key);
  }

  /** Sets the value of a key that a file does not set and that has no value by default. */
  <T> void setDefault(Key<T> key, T value) {
    if (!entries.containsKey(key.path())) {
      values.putIfAbsent(key, value);
    }
  }

  /**
   * Adds a problem unless a file sets a key.
   *
   * @param reason why it has to, such as "with PRANC"
   */
  void requireSet(Key<?> key, String reason) {
    require(
        entries.containsKey(key.path()) || isInInvalidGroup(key),
        "%s is missing; must be %s %s".formatted(key.path(), key.kind().rule(), reason));
  }

  /** Returns whether the file has a key. */
  boolean states(Key<?> key) {
    return entries.containsKey(key.path());
  }

  /** Adds a problem unless a rule holds. */
  void require(boolean rule, String problem) {
    if (!rule) {
      problems.add(problem);
    }
  }

  private void flatten(String group, Map<?, ?> map) {
    TreeSet<String> known = new TreeSet<>();
    for (Key<?> key : Keys.ALL) {
      known.add(key.path());
      for (int dot = key.path().indexOf('.'); dot >= 0; dot = key.path().indexOf('.', dot + 1)) {
        known.add(key.path().substring(0, dot));
      }
    }
    map.forEach(
        (name, value) -> {
          String text = name instanceof String string ? string : shown(name);
          String path = group + text;
          if (text.contains(".") || !known.contains(path)) {
            problems.add("unknown key %s; %s".formatted(printable(path), hint(known, path)));
          } else if (Keys.ALL.stream().anyMatch(key -> key.path().equals(path))) {
            entries.put(path, value);
          } else if (value instanceof Map<?, ?> inner) {
            flatten(path + ".", inner);
          } else {
            invalidGroups.add(path);
            problems.add(
                "invalid %s: %s; must be a mapping of keys to values"
                    .formatted(path, shown(value)));
          }
        });
  }

  private <T> void read(Key<T> key) {
    Object yaml = entries.containsKey(key.path()) ? entries.get(key.path()) : key.standard();
    T value = yaml == null ? null : key.kind().reader().apply(yaml);
    if (value != null) {
      values.put(key, value);
    } else if (entries.containsKey(key.path())) {
      problems.add(
          "invalid %s: %s; must be %s".formatted(key.path(), shown(yaml), key.kind().rule()));
    }
  }

  private void requireOne(List<Key<?>> keys) {
    List<String> paths = keys.stream().map(Key::path).toList();
    long count = paths.stream().filter(entries::containsKey).count();
    require(
        count > 0 || keys.stream().anyMatch(this::isInInvalidGroup),
        Kind.alternatives(paths) + " is missing");
    require(count < 2, "only one of %s may be set".formatted(Kind.all(paths)));
  }

  /** Requires a key that must be set where it applies, and forbids any where it does not. */
  private void requireUse(Key<?> key) {
    boolean isGiven = entries.containsKey(key.path());
    List<Optional<Boolean>> conditions = key.conditions().stream().map(this::holds).toList();
    boolean applies = conditions.stream().allMatch(holds -> holds.orElse(false));
    boolean isForbidden = !conditions.stream().allMatch(holds -> holds.orElse(true));
    require(
        isGiven || !applies || key.need() != Key.Need.REQUIRED || isInInvalidGroup(key),
        "%s is missing; must be %s".formatted(key.path(), key.kind().rule()));
    require(!isGiven || !isForbidden, "%s applies %s".formatted(key.path(), key.use()));
  }

  /** Returns whether a condition holds; empty if the other key is invalid, so that is unknown. */
  private Optional<Boolean> holds(Key.Condition condition) {
    Object label = entries.get(condition.key().path());
    if (condition.labels().isEmpty()) {
      return Optional.of(label != null);
    }
    return values.containsKey(condition.key())
        ? Optional.of(condition.labels().contains(label))
        : Optional.empty();
  }

  /** Returns whether a key is missing because its group is not a mapping. */
  private boolean isInInvalidGroup(Key<?> key) {
    return invalidGroups.stream().anyMatch(path -> key.path().startsWith(path + "."));
  }

  /** Returns a value as one short line without control characters. */
  private static String shown(@Nullable Object value) {
    String json = JsonMapper.shared().writeValueAsString(value);
    return json.length() <= MAX_SHOWN ? json : json.substring(0, MAX_SHOWN) + "…";
  }

  private static String printable(String path) {
    return path.matches("[\\w.-]{1," + MAX_SHOWN + "}") ? path : shown(path);
  }

  private static String hint(Set<String> keys, String path) {
    String alias = path.substring(path.lastIndexOf('.') + 1);
    String known = KeyNames.ALIASES.get(alias);
    return Optional.ofNullable(known)
        .or(() -> Suggestion.nearest(keys, path))
        .map(key -> "did you mean " + key + "?")
        .orElse("trainer-worker/README.md lists all keys");
  }
}
