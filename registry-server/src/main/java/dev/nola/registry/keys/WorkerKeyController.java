package dev.nola.registry.keys;

import dev.nola.api.Page;
import dev.nola.api.attestation.KeyApproval;
import dev.nola.api.attestation.KeyRegistration;
import dev.nola.api.attestation.KeyRevocation;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.CreatedOrPresent;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints for the keys that workers sign with. */
@RestController
@RequestMapping("/api/v1/worker-keys")
@Tag(name = "Worker keys")
class WorkerKeyController {
  private final WorkerKeyService service;
  private final WorkerKeyRepository keys;

  WorkerKeyController(WorkerKeyService service, WorkerKeyRepository keys) {
    this.service = service;
    this.keys = keys;
  }

  @PostMapping
  @Operation(
      summary = "Register a key with which a worker signs attestations",
      description =
          "An Ed25519 key. Its attestations count after an admin has approved it. 201 if it is new,"
              + " 200 if the caller's account has already registered it. For workers.")
  @CreatedOrPresent
  ResponseEntity<WorkerKey> register(@RequestBody KeyRegistration request, Caller caller) {
    WorkerKeyService.Registered registered = service.register(caller, request);
    WorkerKey key = registered.key();
    return registered.created()
        ? ResponseEntity.created(URI.create("/api/v1/worker-keys/" + key.fingerprint())).body(key)
        : ResponseEntity.ok(key);
  }

  @GetMapping
  @Operation(summary = "List workers' keys, oldest first")
  ResponseEntity<Page<WorkerKey>> list(
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor) {
    return service.list(limit, cursor);
  }

  @GetMapping("/{fingerprint}")
  @Operation(summary = "Read a worker's key by its fingerprint sha256:HEX")
  WorkerKey get(@PathVariable String fingerprint) {
    return keys.find(parse(fingerprint)).orElseThrow(() -> Refusal.notFound("key " + fingerprint));
  }

  @PutMapping("/{fingerprint}/approval")
  @Operation(
      summary = "Approve a key, or change its expiry",
      description = "For admins, who first make sure that the key belongs to the worker.")
  WorkerKey approve(
      @PathVariable String fingerprint, @RequestBody KeyApproval request, Caller caller) {
    return service.approve(caller, parse(fingerprint), request.expiresAt());
  }

  @PutMapping("/{fingerprint}/revocation")
  @Operation(
      summary = "Revoke a key immediately and permanently",
      description =
          "All its attestations are withdrawn, including earlier ones: versions that it attested may"
              + " become unverified. For admins.")
  WorkerKey revoke(
      @PathVariable String fingerprint, @RequestBody KeyRevocation request, Caller caller) {
    return service.revoke(caller, parse(fingerprint), request.reason());
  }

  private static Sha256 parse(String fingerprint) {
    try {
      return Sha256.parse(fingerprint);
    } catch (IllegalArgumentException _) {
      throw Refusal.notFound("key " + fingerprint);
    }
  }
}
