package dev.nola.client.registry;

import dev.nola.api.Page;
import dev.nola.client.RegistryException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads all pages of a list, from a registry that may never end it. */
public final class AllPages {
  private AllPages() {}

  /** Supplies the pages of a list. */
  @FunctionalInterface
  public interface Source<T> {
    /**
     * Fetches a page.
     *
     * @param cursor of the page; null for the first
     * @return the page
     * @throws IOException if it cannot be fetched
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    Page<T> fetch(@Nullable String cursor) throws IOException, InterruptedException;
  }

  /**
   * Reads a list to its end.
   *
   * @param what the items, for messages
   * @param maximum number of items that are read
   * @param source supplies the pages
   * @return the items of all pages, in their order
   * @throws RegistryException of kind {@code BROKEN} if there are more items, a page is empty and
   *     not the last, or a cursor comes again; or if a page cannot be fetched
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public static <T> List<T> read(String what, int maximum, Source<T> source)
      throws IOException, InterruptedException {
    List<T> all = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    @Nullable String cursor = null;
    do {
      Page<T> page = source.fetch(cursor);
      all.addAll(page.items());
      cursor = page.next();
      if (all.size() > maximum) {
        throw RegistryException.broken(
            "too many %s: the registry lists more than %d".formatted(what, maximum));
      }
      if (cursor != null && (page.items().isEmpty() || !seen.add(cursor))) {
        throw RegistryException.broken(
            "endless list of %s: the registry sent %s"
                .formatted(
                    what,
                    page.items().isEmpty()
                        ? "an empty page that is not the last"
                        : "a cursor twice"));
      }
    } while (cursor != null);
    return all;
  }
}
