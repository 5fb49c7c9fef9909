package dev.nola.registry.catalog;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.nola.api.Comparison;
import dev.nola.api.Contents;
import dev.nola.api.Page;
import dev.nola.api.VersionDetails;
import dev.nola.api.VersionSummary;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Service;
import tools.jackson.databind.json.JsonMapper;

/** Reads versions of adapters that the caller may see. */
@Service
public class VersionReader {
  private static final String KIND = "versions";
  private static final String ABOVE_ALL = "~";
  private static final long CACHED_BYTES = 64_000_000;

  private final ReferenceResolver references;
  private final AdapterAccess adapters;
  private final VersionRepository versions;
  private final AliasRepository aliases;
  private final ContentsStore contents;
  private final JsonMapper json;

  /**
   * By the cached resolution of a reference: each change of an adapter replaces that, and the
   * document can be collected with it.
   */
  private final Cache<ReferenceResolver.Located, KeptAnswer> documents =
      Caffeine.newBuilder()
          .weakKeys()
          .maximumWeight(CACHED_BYTES)
          .weigher((ReferenceResolver.Located _, KeptAnswer document) -> document.body().length)
          .build();

  VersionReader(
      ReferenceResolver references,
      AdapterAccess adapters,
      VersionRepository versions,
      AliasRepository aliases,
      ContentsStore contents,
      JsonMapper json) {
    this.references = references;
    this.adapters = adapters;
    this.versions = versions;
    this.aliases = aliases;
    this.contents = contents;
    this.json = json;
  }

  /**
   * Lists an adapter's versions, highest first.
   *
   * @param caller of the request
   * @param name of the adapter
   * @param limit maximum number of versions
   * @param cursor of the page before; null for the first page
   * @return a page
   * @throws Refusal if the caller sees no such adapter, or the limit or cursor is invalid
   */
  public ResponseEntity<Page<VersionSummary>> list(
      Caller caller, AdapterName name, int limit, @Nullable String cursor) {
    AdapterEntity adapter = adapters.see(caller, name);
    String bound = cursor == null ? ABOVE_ALL : Cursor.parse(cursor, KIND, 1).key().getFirst();
    return Pages.of(
        versions.page(adapter.id(), bound, Pages.fetch(limit)),
        limit,
        last -> new Cursor(KIND, List.of(last.precedence)),
        VersionEntity::summary);
  }

  /**
   * Reads a version.
   *
   * @param caller of the request
   * @param adapter its name
   * @param reference a version number, alias, range, digest or {@code latest}
   * @return the version
   * @throws Refusal with status 404 if it does not exist or the caller may not see it
   */
  public VersionDetails get(Caller caller, AdapterName adapter, String reference) {
    return read(references.find(caller, adapter, reference));
  }

  /** Reads a version as {@link #get} does, as the answer to a request for it. */
  KeptAnswer document(Caller caller, AdapterName adapter, String reference) {
    return documents.get(references.find(caller, adapter, reference), this::write);
  }

  /** Returns the answer to a request for a version, if it is kept. */
  Optional<KeptAnswer> keptDocument(ReferenceResolver.Located version) {
    return Optional.ofNullable(documents.getIfPresent(version));
  }

  private KeptAnswer write(ReferenceResolver.Located version) {
    byte[] bytes = json.writeValueAsBytes(read(version));
    HttpHeaders headers = new HttpHeaders();
    headers.setETag('"' + Sha256.hash(bytes).hex() + '"');
    headers.setCacheControl(CacheControl.noCache());
    headers.setContentType(MediaType.APPLICATION_JSON);
    return KeptAnswer.of(headers, bytes);
  }

  private VersionDetails read(ReferenceResolver.Located located) {
    VersionEntity found =
        versions
            .findById(located.versionId())
            .orElseThrow(() -> Refusal.notFound("version " + located.version()));
    Contents file = contents.get(found.id());
    return new VersionDetails(
        located.adapter().namespace(),
        located.adapter().name(),
        found.version,
        found.digest(),
        found.size,
        Comparison.of(file, found.size),
        found.verification,
        found.disputed,
        found.verifiedAt,
        found.attestations(),
        found.yank(),
        aliases.ofVersion(found.id()).stream().map(alias -> alias.key.name()).toList(),
        found.downloads,
        found.publishedBy,
        found.publishedAt,
        file);
  }
}
