package dev.nola.registry.catalog;

import dev.nola.api.CollectionReport;
import dev.nola.api.ScrubReport;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.BlobUser;
import dev.nola.registry.blobs.GarbageCollector;
import dev.nola.registry.blobs.Scrub;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.springframework.stereotype.Service;

/** Maintains the blobs: deletes those that nothing refers to, and detects damaged ones. */
@Service
public class BlobMaintenance {
  private final BlobStore blobs;
  private final BlobReader reader;
  private final List<BlobUser> users;
  private final CatalogSettings settings;
  private final AuditLog audit;
  private final Clock clock;

  BlobMaintenance(
      BlobStore blobs,
      BlobReader reader,
      List<BlobUser> users,
      CatalogSettings settings,
      AuditLog audit,
      Clock clock) {
    this.blobs = blobs;
    this.reader = reader;
    this.users = users;
    this.settings = settings;
    this.audit = audit;
    this.clock = clock;
  }

  /**
   * Deletes blobs that nothing refers to, and the remains of uploads that were cut off, if they are
   * older than {@code nola.catalog.collection-grace}.
   *
   * @param caller of the request
   * @return what was deleted
   * @throws IOException if the store fails
   */
  public CollectionReport collect(Caller caller) throws IOException {
    CollectionReport report = collect();
    audit.add(caller.account(), caller.tokenId(), "blobs.collect", "blobs", report.toString());
    return report;
  }

  /**
   * Looks for every blob that is referred to, and compares all bytes with their digests; changes
   * nothing.
   *
   * @param caller of the request
   * @return the damaged and the missing blobs
   * @throws IOException if the store fails
   */
  public ScrubReport scrub(Caller caller) throws IOException {
    ScrubReport report = new Scrub(blobs, users).run();
    Set<Sha256> damaged = new HashSet<>(report.corrupt());
    damaged.addAll(report.missing());
    reader.note(damaged);
    audit.add(
        caller.account(),
        caller.tokenId(),
        "blobs.scrub",
        "blobs",
        "%d checked, %d damaged, %d missing"
            .formatted(report.checked(), report.corrupt().size(), report.missing().size()));
    return report;
  }

  CollectionReport collect() throws IOException {
    Instant cutoff = clock.instant().minus(settings.collectionGrace());
    users.forEach(user -> user.forgetUnused(cutoff));
    int uploads = blobs.removeAbandonedUploads(settings.collectionGrace());
    GarbageCollector.Collected collected =
        new GarbageCollector(blobs)
            .collect(
                digest -> users.stream().anyMatch(user -> user.refersTo(digest)),
                settings.collectionGrace(),
                clock);
    return new CollectionReport(collected.blobs(), collected.bytes(), uploads);
  }
}
