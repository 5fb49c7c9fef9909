package dev.nola.command;

import dev.nola.api.VersionSummary;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.api.name.VersionRange;
import dev.nola.client.RegistryException;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Explains that a reference does not resolve because all matching versions are yanked. */
public final class YankedVersions {
  private static final int MAX_VERSIONS = 100_000;
  private static final int MAX_NAMED = 10;

  private YankedVersions() {}

  /** A query about a reference. */
  @FunctionalInterface
  public interface Asking<T> {
    /**
     * Runs the query.
     *
     * @return the answer
     * @throws IOException if the registry refuses or cannot be reached
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    T get() throws IOException, InterruptedException;
  }

  /**
   * Runs a query about a reference.
   *
   * @param client asks the registry
   * @param reference the reference
   * @param asking the query
   * @param <T> the answer's type
   * @return the answer
   * @throws RegistryException if the registry refuses; of {@code latest} or a range that is not
   *     found, its message names the yanked versions within it
   * @throws IOException if asking fails otherwise
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public static <T> T explaining(NolaClient client, Reference reference, Asking<T> asking)
      throws IOException, InterruptedException {
    try {
      return asking.get();
    } catch (RegistryException e) {
      List<String> yanked =
          e.kind() == RegistryException.Kind.NOT_FOUND ? within(client, reference) : List.of();
      if (yanked.isEmpty()) {
        throw e;
      }
      throw new RegistryException(
          e.kind(),
          e.status(),
          e.problem(),
          e.retryAfter(),
          "%s; the versions that match are yanked: %s; name one of them, or run %s"
              .formatted(
                  e.getMessage(), names(yanked), undo(reference.adapter(), yanked.getFirst())));
    }
  }

  /**
   * Reads all versions of an adapter.
   *
   * @param client asks the registry
   * @param adapter the adapter
   * @return the versions, highest first
   * @throws IOException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public static List<VersionSummary> all(NolaClient client, AdapterName adapter)
      throws IOException, InterruptedException {
    return AllPages.read(
        "versions of " + adapter,
        MAX_VERSIONS,
        cursor -> client.adapters().versions(adapter, cursor));
  }

  /**
   * Returns the command that undoes a yank.
   *
   * @param adapter the adapter
   * @param version the number of the yanked version
   * @return the command line
   */
  public static String undo(AdapterName adapter, String version) {
    return "nola yank %s@%s --undo".formatted(adapter, version);
  }

  private static List<String> within(NolaClient client, Reference reference)
      throws IOException, InterruptedException {
    boolean isLatest = reference.version().equals(Reference.LATEST);
    Optional<VersionRange> range =
        reference.isPinned() ? Optional.empty() : VersionRange.find(reference.version());
    if (!isLatest && range.isEmpty()) {
      return List.of();
    }
    try {
      return all(client, reference.adapter()).stream()
          .filter(version -> version.yanked() != null)
          .map(VersionSummary::version)
          .filter(version -> isLatest || range.orElseThrow().includes(version))
          .toList();
    } catch (RegistryException noSuchAdapter) {
      return List.of(); // what was asked first says it better
    }
  }

  private static String names(List<String> versions) {
    return versions.stream().limit(MAX_NAMED).collect(Collectors.joining(", "))
        + (versions.size() > MAX_NAMED ? ", …" : "");
  }
}
