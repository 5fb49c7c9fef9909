package dev.nola.registry.catalog;

import dev.nola.api.CollectionReport;
import dev.nola.api.ScrubReport;
import dev.nola.registry.access.Caller;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.io.IOException;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints to maintain the blobs. */
@RestController
@RequestMapping("/api/v1/admin")
@Tag(name = "Administration")
class BlobMaintenanceController {
  private final BlobMaintenance maintenance;

  BlobMaintenanceController(BlobMaintenance maintenance) {
    this.maintenance = maintenance;
  }

  @PostMapping("/collect-garbage")
  @Operation(
      summary = "Delete blobs that nothing refers to",
      description =
          "Those older than nola.catalog.collection-grace, and uploads that were cut off; the server"
              + " also does this every day. For admins.")
  CollectionReport collect(Caller caller) throws IOException {
    return maintenance.collect(caller);
  }

  @PostMapping("/scrub")
  @Operation(
      summary = "Look for every blob that is referred to, and compare all with their digests",
      description =
          "Changes nothing; names the blobs that are damaged, and those that are missing. For admins.")
  ScrubReport scrub(Caller caller) throws IOException {
    return maintenance.scrub(caller);
  }
}
