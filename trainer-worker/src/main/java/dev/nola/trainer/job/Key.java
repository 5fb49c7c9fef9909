package dev.nola.trainer.job;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A key of job files.
 *
 * @param path name with the groups that it is in, such as {@code method.rank}
 * @param kind values that it may have
 * @param meaning description for the documentation
 * @param need whether a file must have it, where it applies
 * @param standard default value, as YAML; null for none
 * @param conditions conditions under which it applies; where it does not, a file must not have it
 */
record Key<T>(
    String path,
    Kind<T> kind,
    String meaning,
    Need need,
    @Nullable Object standard,
    List<Condition> conditions) {

  enum Need {
    REQUIRED,
    OPTIONAL,
    /** One of the alternatives in {@link Keys#ALTERNATIVES}. */
    ALTERNATIVE
  }

  /**
   * A condition on the value of another key.
   *
   * @param key the other key
   * @param labels values that it may have, as in files; empty for any value
   */
  record Condition(Key<?> key, List<String> labels) {
    @Override
    public String toString() {
      return key.path + " is " + (labels.isEmpty() ? "set" : Kind.alternatives(labels));
    }
  }

  static <T> Key<T> required(String path, Kind<T> kind, String meaning) {
    return new Key<>(path, kind, meaning, Need.REQUIRED, null, List.of());
  }

  static <T> Key<T> optional(String path, Kind<T> kind, @Nullable Object standard, String meaning) {
    return new Key<>(path, kind, meaning, Need.OPTIONAL, standard, List.of());
  }

  static <T> Key<T> alternative(String path, Kind<T> kind, String meaning) {
    return new Key<>(path, kind, meaning, Need.ALTERNATIVE, null, List.of());
  }

  /** Returns this key with a condition: that another has one of these values, or any. */
  Key<T> onlyWith(Key<?> key, String... labels) {
    List<Condition> extended = new ArrayList<>(conditions);
    extended.add(new Condition(key, List.of(labels)));
    return new Key<>(path, kind, meaning, need, standard, List.copyOf(extended));
  }

  /** Returns, say, "only when method.name is nola or lora"; empty if it always applies. */
  String use() {
    return conditions.isEmpty()
        ? ""
        : conditions.stream()
            .map(Condition::toString)
            .collect(Collectors.joining(" and ", "only when ", ""));
  }

  /** Returns the groups that it is in, outermost first, and its own name last. */
  List<String> segments() {
    return Stream.of(path.split("\\.")).toList();
  }
}
