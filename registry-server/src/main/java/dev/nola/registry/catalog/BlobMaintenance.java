package dev.nola.registry.catalog;

import dev.nola.api.CollectionReport;
import dev.nola.api.ScrubReport;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.BlobUser;
import dev.nola.registry.blobs.GarbageCollector;
import dev.nola.registry.blobs.Scrub;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Maintains the blobs: deletes those that nothing refers to, and detects damaged ones. */
@RestController
@RequestMapping("/api/v1/admin")
@Tag(name = "Administration")
class BlobMaintenance {
  private static final Logger LOG = LoggerFactory.getLogger(BlobMaintenance.class);

  private final BlobStore blobs;
  private final List<BlobUser> users;
  private final CatalogSettings settings;
  private final AuditLog audit;
  private final Clock clock;

  BlobMaintenance(
      BlobStore blobs,
      List<BlobUser> users,
      CatalogSettings settings,
      AuditLog audit,
      Clock clock) {
    this.blobs = blobs;
    this.users = users;
    this.settings = settings;
    this.audit = audit;
    this.clock = clock;
  }

  @PostMapping("/collect-garbage")
  @Operation(
      summary = "Delete blobs that nothing refers to",
      description =
          "Those older than nola.catalog.collection-grace, and uploads that were cut off; the server"
              + " also does this every day. For admins.")
  CollectionReport collect(Caller caller) throws IOException {
    CollectionReport report = collect();
    audit.add(caller.account(), caller.tokenId(), "blobs.collect", "blobs", report.toString());
    return report;
  }

  @PostMapping("/scrub")
  @Operation(
      summary = "Read every blob and compare it with its digest",
      description = "Changes nothing; names the blobs that are damaged. For admins.")
  ScrubReport scrub(Caller caller) throws IOException {
    ScrubReport report = new Scrub(blobs).run();
    report.corrupt().forEach(digest -> LOG.error("blob {} is damaged", digest));
    audit.add(
        caller.account(),
        caller.tokenId(),
        "blobs.scrub",
        "blobs",
        "%d checked, %d damaged".formatted(report.checked(), report.corrupt().size()));
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
