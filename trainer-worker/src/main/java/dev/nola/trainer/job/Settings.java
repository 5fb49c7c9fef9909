package dev.nola.trainer.job;

import java.util.ArrayList;
import java.util.Comparator;
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

/** What a job file says, key by key, and what is wrong with it. */
final class Settings {
  /** Characters of a value that a problem shows at most. */
  private static final int SHOWN = 60;

  private final List<String> problems = new ArrayList<>();
  private final Map<String, Object> given = new LinkedHashMap<>();
  private final Map<Key<?>, Object> values = new HashMap<>();

  private final Set<String> noGroups = new HashSet<>();

  private Settings() {}

  /** Takes a document apart, by {@link Keys}. */
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

  /** The value of a key that has one, the default's if the file has none. */
  <T> T get(Key<T> key) {
    return Objects.requireNonNull(find(key), key.path());
  }

  /** The value of a key, or null if neither the file nor the default has one. */
  @SuppressWarnings("unchecked") // read() puts in what the key's kind made
  <T> @Nullable T find(Key<T> key) {
    return (T) values.get(key);
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
            problems.add(
                "unknown key %s; did you mean %s?"
                    .formatted(printable(path), nearest(known, path)));
          } else if (Keys.ALL.stream().anyMatch(key -> key.path().equals(path))) {
            given.put(path, value);
          } else if (value instanceof Map<?, ?> inner) {
            flatten(path + ".", inner);
          } else {
            noGroups.add(path);
            problems.add(
                "%s=%s, must be a mapping of keys to values".formatted(path, shown(value)));
          }
        });
  }

  private <T> void read(Key<T> key) {
    Object yaml = given.containsKey(key.path()) ? given.get(key.path()) : key.standard();
    T value = yaml == null ? null : key.kind().reader().apply(yaml);
    if (value != null) {
      values.put(key, value);
    } else if (given.containsKey(key.path())) {
      problems.add("%s=%s, must be %s".formatted(key.path(), shown(yaml), key.kind().rule()));
    }
  }

  private void requireOne(List<Key<?>> keys) {
    List<String> paths = keys.stream().map(Key::path).toList();
    long count = paths.stream().filter(given::containsKey).count();
    require(
        count > 0 || keys.stream().anyMatch(this::isInNoGroup),
        String.join(" or ", paths) + " is missing");
    require(count < 2, "only one of %s may be set".formatted(String.join(" and ", paths)));
  }

  /** That a key is where it has a use, and if a file must have it, only there is it missing. */
  private void requireUse(Key<?> key) {
    boolean isGiven = given.containsKey(key.path());
    List<Optional<Boolean>> conditions = key.conditions().stream().map(this::holds).toList();
    boolean useful = conditions.stream().allMatch(holds -> holds.orElse(false));
    boolean useless = !conditions.stream().allMatch(holds -> holds.orElse(true));
    require(
        isGiven || !useful || key.need() != Key.Need.REQUIRED || isInNoGroup(key),
        "%s is missing, must be %s".formatted(key.path(), key.kind().rule()));
    require(!isGiven || !useless, "%s applies %s".formatted(key.path(), key.use()));
  }

  /** Whether a condition holds; empty where the other key is wrong, so that nobody can say. */
  private Optional<Boolean> holds(Key.Condition condition) {
    Object label = given.get(condition.key().path());
    if (condition.labels().isEmpty()) {
      return Optional.of(label != null);
    }
    return values.containsKey(condition.key())
        ? Optional.of(condition.labels().contains(label))
        : Optional.empty();
  }

  /** Whether a key cannot be there because its group is something else. */
  private boolean isInNoGroup(Key<?> key) {
    return noGroups.stream().anyMatch(path -> key.path().startsWith(path + "."));
  }

  /** A value on one line, without control characters, not too long. */
  private static String shown(@Nullable Object value) {
    String json = JsonMapper.shared().writeValueAsString(value);
    return json.length() <= SHOWN ? json : json.substring(0, SHOWN) + "…";
  }

  private static String printable(String path) {
    return path.matches("[\\w.-]{1," + SHOWN + "}") ? path : shown(path);
  }

  private static String nearest(Set<String> keys, String path) {
    return keys.stream().min(Comparator.comparingInt(key -> distance(key, path))).orElseThrow();
  }

  /** How many characters to change, add or take away (Levenshtein); a wrong group counts as one. */
  private static int distance(String key, String other) {
    return Math.min(edits(key, other), 1 + edits(last(key), last(other)));
  }

  private static String last(String path) {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  private static int edits(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
