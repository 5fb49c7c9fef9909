package dev.nola.trainer.job;

import java.util.ArrayList;
import java.util.List;

/** Keys in the order in which they were added. */
final class KeyTable {
  private final List<Key<?>> keys = new ArrayList<>();

  <T> Key<T> add(Key<T> key) {
    keys.add(key);
    return key;
  }

  List<Key<?>> all() {
    return List.copyOf(keys);
  }
}
