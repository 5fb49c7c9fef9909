package dev.nola.trainer.job;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A key of job files.
 *
 * @param path with the groups it is in, such as {@code method.rank}
 * @param kind what values it has
 * @param meaning what it is for
 * @param need whether a file must have it, where it has a use
 * @param standard the value, as YAML has it, of a file that does not have the key; null if there is
 *     none
 * @param conditions all that must hold for it to have a use; where it has none, a file must not
 *     have it
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
   * That another key has one of some values.
   *
   * @param labels as files have them; empty if any value will do
   */
  record Condition(Key<?> key, List<String> labels) {
    @Override
    public String toString() {
      return labels.isEmpty() ? key.path : key.path + " " + String.join(" or ", labels);
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

  /** The same, of use only where another key has one of these values, or any if none are named. */
  Key<T> onlyWith(Key<?> key, String... labels) {
    List<Condition> all = new ArrayList<>(conditions);
    all.add(new Condition(key, List.of(labels)));
    return new Key<>(path, kind, meaning, need, standard, List.copyOf(all));
  }

  /** Such as "only with method.name nola or lora"; empty if it always has a use. */
  String use() {
    return conditions.isEmpty()
        ? ""
        : conditions.stream()
            .map(Condition::toString)
            .collect(Collectors.joining(" and ", "only with ", ""));
  }

  /** The groups it is in, outermost first, and its own name last. */
  List<String> segments() {
    return Stream.of(path.split("\\.")).toList();
  }
}
