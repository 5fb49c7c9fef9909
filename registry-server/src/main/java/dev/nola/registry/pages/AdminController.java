package dev.nola.registry.pages;

import dev.nola.api.AuditEntry;
import dev.nola.api.Page;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.keys.WorkerKeyService;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Hidden;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.util.UriComponentsBuilder;

/** Pages for admins: the keys of workers, and the audit log. */
@Controller
@Hidden
class AdminController {
  private static final int ROWS = 50;

  private final WorkerKeyService keys;
  private final AuditLog audit;

  AdminController(WorkerKeyService keys, AuditLog audit) {
    this.keys = keys;
    this.audit = audit;
  }

  @GetMapping("/admin")
  String overview() {
    return "admin";
  }

  @GetMapping("/admin/keys")
  String keys(@RequestParam(required = false) @Nullable String cursor, Model model) {
    Page<WorkerKey> page = Objects.requireNonNull(keys.list(ROWS, cursor).getBody());
    model.addAttribute("keys", page.items());
    model.addAttribute("next", page.next());
    return "admin-keys";
  }

  @PostMapping("/admin/keys/{fingerprint}/approve")
  String approve(@PathVariable String fingerprint, Caller caller) {
    keys.approve(caller, parse(fingerprint), null);
    return "redirect:/admin/keys";
  }

  @PostMapping("/admin/keys/{fingerprint}/revoke")
  String revoke(@PathVariable String fingerprint, @RequestParam String reason, Caller caller) {
    keys.revoke(caller, parse(fingerprint), reason);
    return "redirect:/admin/keys";
  }

  @GetMapping("/admin/audit")
  String audit(
      @RequestParam(defaultValue = "") String account,
      @RequestParam(defaultValue = "") String action,
      @RequestParam(defaultValue = "") String subject,
      @RequestParam(defaultValue = "") String day,
      @RequestParam(required = false) @Nullable String cursor,
      Model model) {
    AuditLog.Filter filter =
        new AuditLog.Filter(account.strip(), action.strip(), subject.strip(), day(day));
    Page<AuditEntry> page = Objects.requireNonNull(audit.list(filter, ROWS, cursor).getBody());
    model.addAttribute("entries", page.items());
    model.addAttribute("filter", filter);
    model.addAttribute("later", cursor != null);
    if (page.next() != null) {
      model.addAttribute(
          "next",
          UriComponentsBuilder.fromPath("/admin/audit")
              .queryParam("account", "{account}")
              .queryParam("action", "{action}")
              .queryParam("subject", "{subject}")
              .queryParam("day", "{day}")
              .queryParam("cursor", "{cursor}")
              .encode()
              .buildAndExpand(account, action, subject, day, page.next())
              .toUriString());
    }
    return "admin-audit";
  }

  private static Sha256 parse(String fingerprint) {
    try {
      return Sha256.parse(fingerprint);
    } catch (IllegalArgumentException _) {
      throw Refusal.notFound("key " + fingerprint);
    }
  }

  private static @Nullable LocalDate day(String day) {
    try {
      return day.isBlank() ? null : LocalDate.parse(day.strip());
    } catch (DateTimeParseException _) {
      throw Refusal.invalid("day", "invalid day: " + day + "; must be such as 2026-11-29");
    }
  }
}
