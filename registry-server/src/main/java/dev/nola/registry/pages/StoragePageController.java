package dev.nola.registry.pages;

import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.catalog.BlobMaintenance;
import dev.nola.registry.catalog.Quota;
import io.swagger.v3.oas.annotations.Hidden;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;

/** The page of what is stored, for admins. */
@Controller
@Hidden
class StoragePageController {
  private static final int LARGEST = 50;

  private final Quota quota;
  private final BlobMaintenance maintenance;
  private final AuditLog audit;

  StoragePageController(Quota quota, BlobMaintenance maintenance, AuditLog audit) {
    this.quota = quota;
    this.maintenance = maintenance;
    this.audit = audit;
  }

  @GetMapping("/admin/storage")
  String show(Model model) {
    List<Quota.NamespaceUsage> usages = quota.usages();
    model.addAttribute("usages", usages.subList(0, Math.min(usages.size(), LARGEST)));
    model.addAttribute("namespaces", usages.size());
    model.addAttribute(
        "total", usages.stream().map(Quota.NamespaceUsage::used).reduce(0L, Quota::sum));
    model.addAttribute("limit", quota.limit());
    model.addAttribute(
        "runs",
        Objects.requireNonNull(
                audit.list(new AuditLog.Filter("", "blobs.", "", null), 5, null).getBody())
            .items());
    return "admin-storage";
  }

  @PostMapping("/admin/storage/collect")
  String collect(Caller caller, Model model) throws IOException {
    model.addAttribute("collected", maintenance.collect(caller));
    return show(model);
  }

  @PostMapping("/admin/storage/scrub")
  String scrub(Caller caller, Model model) throws IOException {
    model.addAttribute("scrubbed", maintenance.scrub(caller));
    return show(model);
  }
}
