package dev.nola.format;

import java.util.function.Supplier;

/** Runs code without the rules of the format, to make files that break them. */
public final class Unchecked {
  private Unchecked() {}

  /**
   * Returns what a supplier returns while no rule is checked.
   *
   * @param supplier makes something illegal, on the calling thread
   */
  public static <T> T get(Supplier<T> supplier) {
    return ScopedValue.where(Rules.OMISSION, _ -> true).call(supplier::get);
  }
}
