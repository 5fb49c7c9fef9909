package dev.nola.registry.catalog;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.Reference;
import dev.nola.api.name.VersionNumber;
import dev.nola.api.name.VersionRange;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Refusal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import org.springframework.transaction.event.TransactionalEventListener;

/**
 * Finds the version that a reference means: {@code latest}, a version number, {@code sha256:} and
 * 64 hex digits, the first 40 of these digits, an alias, or a range of version numbers as npm
 * writes them.
 *
 * <p>What was found is kept for two seconds, so that downloads of one adapter ask the database
 * seldom; a change through this server is seen at once, one through a replica after that time.
 */
@Component
public class ReferenceResolver {
  private static final Duration STALE = Duration.ofSeconds(2);
  private static final int CACHED = 10_000;

  /** No alias is as long, and no version number has neither dot nor hyphen. */
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  private static final int COMMIT_LENGTH = 40;

  private final VersionRepository versions;
  private final AdapterAccess visible;
  private final Cache<AdapterName, Map<String, Located>> known =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(STALE).build();

  ReferenceResolver(VersionRepository versions, AdapterAccess visible) {
    this.versions = versions;
    this.visible = visible;
  }

  /**
   * The version that a reference names.
   *
   * <p>One record for what a download needs, so that it is cached and read at once.
   *
   * @param adapter of the version
   * @param adapterId row of the adapter
   * @param isPrivate whether the adapter is private
   * @param versionId row of the version
   * @param version its number
   * @param digest of its file
   * @param size of its file in bytes
   * @param pinned whether the reference can never name another version
   * @param disputed whether a worker attests other bits, unconfirmed
   * @param yankReason why it was yanked, or null
   */
  public record Located(
      AdapterName adapter,
      long adapterId,
      boolean isPrivate,
      long versionId,
      String version,
      Sha256 digest,
      long size,
      boolean pinned,
      boolean disputed,
      @Nullable String yankReason) {
    /**
     * Returns the reference that always names this version.
     *
     * @return such as {@code acme/mood@1.0.0}
     */
    public String pinnedReference() {
      return adapter + "@" + version;
    }
  }

  /**
   * Finds a version that the caller may see.
   *
   * @param caller of the request
   * @param adapter of the version
   * @param reference a version number, alias, range, digest or {@code latest}
   * @return the version
   * @throws Refusal with status 404 if it does not exist or the caller may not see it
   */
  public Located find(Caller caller, AdapterName adapter, String reference) {
    return lookup(caller, adapter, reference)
        .orElseThrow(() -> Refusal.notFound(named(reference) + " of " + adapter));
  }

  /**
   * Finds a version of an adapter that the caller may see.
   *
   * @param caller of the request
   * @param adapter of the version
   * @param reference a version number, alias, range, digest, commit or {@code latest}
   * @return the version, or empty if the adapter has no version of this reference
   * @throws Refusal with status 404 if the caller sees no such adapter
   */
  public Optional<Located> lookup(Caller caller, AdapterName adapter, String reference) {
    Map<String, Located> found = known.getIfPresent(adapter);
    Located cached = found == null ? null : found.get(reference);
    if (cached != null && visible.sees(caller, adapter, cached.isPrivate())) {
      return Optional.of(cached);
    }
    // Before the reference is even read: its fate must not tell whether a private adapter exists.
    AdapterEntity entity = visible.see(caller, adapter);
    Optional<Located> located =
        version(entity.id(), reference).map(version -> locate(adapter, entity, version, reference));
    // Ranges are not cached: their number is unbounded.
    located
        .filter(version -> version.pinned() || NameRule.isWord(reference))
        .ifPresent(
            version -> known.get(adapter, _ -> new ConcurrentHashMap<>()).put(reference, version));
    return located;
  }

  /** Returns what a reference was lately found to mean, of an adapter seen without a token. */
  Optional<Located> knownPublic(AdapterName adapter, String reference) {
    Map<String, Located> found = known.getIfPresent(adapter);
    return Optional.ofNullable(found == null ? null : found.get(reference))
        .filter(located -> visible.seenWithoutToken(located.isPrivate()));
  }

  /**
   * Returns the short name of a file, for programs that know files by commits of Git.
   *
   * @param digest of the file
   * @return the first 40 hex digits
   */
  public static String commit(Sha256 digest) {
    return digest.hex().substring(0, COMMIT_LENGTH);
  }

  /** Names what a reference can mean: a word is an alias, or a version that was mistyped. */
  private static String named(String reference) {
    boolean isAlias = NameRule.isWord(reference) && !reference.equals(Reference.LATEST);
    return (isAlias ? "alias or version " : "version ") + reference;
  }

  @TransactionalEventListener
  void forget(AdapterAccess.Changed change) {
    known.invalidate(change.adapter());
  }

  private Optional<VersionEntity> version(long adapterId, String reference) {
    if (reference.equals(Reference.LATEST)) {
      return versions.findLatest(adapterId);
    }
    if (reference.startsWith("sha256:")) {
      return versions.findByDigest(adapterId, reference);
    }
    if (COMMIT.matcher(reference).matches()) {
      return versions.findByDigestPrefix(adapterId, "sha256:" + reference);
    }
    if (VersionNumber.find(reference).isPresent()) {
      return versions.findByNumber(adapterId, reference);
    }
    Optional<VersionEntity> alias =
        NameRule.isWord(reference) ? versions.findByAlias(adapterId, reference) : Optional.empty();
    return alias.isPresent() ? alias : highestWithin(adapterId, reference);
  }

  private Optional<VersionEntity> highestWithin(long adapterId, String text) {
    return VersionRange.find(text)
        .flatMap(range -> versions.usable(adapterId).stream().filter(range::includes).findFirst())
        .flatMap(VersionNumber::find)
        .flatMap(number -> versions.findByAdapterIdAndPrecedence(adapterId, number.precedence()));
  }

  private static Located locate(
      AdapterName name, AdapterEntity adapter, VersionEntity version, String reference) {
    return new Located(
        name,
        adapter.id(),
        adapter.isPrivate,
        version.id(),
        version.version,
        version.digest(),
        version.size,
        reference.equals(version.version)
            || reference.equals(version.digest)
            || reference.equals(commit(version.digest())),
        version.disputed,
        version.yankReason);
  }
}
