package dev.nola.registry.verification;

import dev.nola.api.Page;
import dev.nola.api.attestation.Attestation;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.Versions;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;

/** Reads the attestations of versions that the caller may see. */
@Component
public class AttestationReader {
  private static final String KIND = "attestations";

  private final AttestationStore attestations;
  private final Versions versions;

  AttestationReader(AttestationStore attestations, Versions versions) {
    this.attestations = attestations;
    this.versions = versions;
  }

  /**
   * Lists the attestations of a version's file, oldest first.
   *
   * @param caller of the request
   * @param adapter its name
   * @param reference a version number, alias, range, digest or {@code latest}
   * @param limit maximum number of attestations
   * @param cursor of the page before; null for the first page
   * @return a page
   * @throws dev.nola.registry.web.Refusal with status 404 if the version does not exist or the
   *     caller may not see it, 422 if the limit or cursor is invalid
   */
  public ResponseEntity<Page<Attestation>> list(
      Caller caller, AdapterName adapter, String reference, int limit, @Nullable String cursor) {
    String digest = versions.digestOf(caller, adapter, reference);
    long lastId = cursor == null ? 0 : Cursor.parse(cursor, KIND, 1).number(0);
    return Pages.of(
        attestations.page(digest, lastId, Pages.fetch(limit)),
        limit,
        last -> new Cursor(KIND, List.of(Long.toString(last.id()))),
        attestation -> attestation);
  }
}
