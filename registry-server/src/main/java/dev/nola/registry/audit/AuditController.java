package dev.nola.registry.audit;

import dev.nola.api.AuditEntry;
import dev.nola.api.Page;
import dev.nola.registry.web.Pages;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Endpoint to read the audit log. */
@RestController
@Tag(name = "Audit")
class AuditController {
  private final AuditLog audit;

  AuditController(AuditLog audit) {
    this.audit = audit;
  }

  @GetMapping("/api/v1/audit")
  @Operation(summary = "List the audit log, latest first", description = "For admins.")
  ResponseEntity<Page<AuditEntry>> list(
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor) {
    return audit.list(AuditLog.Filter.ANY, limit, cursor);
  }
}
