package dev.nola.registry.keys;

import dev.nola.api.Page;
import dev.nola.api.attestation.KeyApproval;
import dev.nola.api.attestation.KeyRegistration;
import dev.nola.api.attestation.KeyRevocation;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/v1/worker-keys")
@Tag(name = "Worker keys")
class WorkerKeyController {
  private static final String KIND = "worker-keys";
  private static final int MAX_DESCRIPTION = 200;
  private static final int MAX_REASON = 500;

  private final WorkerKeys keys;
  private final AuditLog audit;
  private final ApplicationEventPublisher events;
  private final Clock clock;

  WorkerKeyController(
      WorkerKeys keys, AuditLog audit, ApplicationEventPublisher events, Clock clock) {
    this.keys = keys;
    this.audit = audit;
    this.events = events;
    this.clock = clock;
  }

  @PostMapping
  @Transactional
  @Operation(
      summary = "Register a key with which a worker signs attestations",
      description =
          "An Ed25519 key. Its attestations count after an admin has approved it. 201 if it is new,"
              + " 200 if the caller's account has already registered it. For workers.",
      responses = {
        @ApiResponse(responseCode = "201", description = "Registered", useReturnTypeSchema = true),
        @ApiResponse(
            responseCode = "200",
            description = "Already registered",
            useReturnTypeSchema = true)
      })
  ResponseEntity<WorkerKey> register(@RequestBody KeyRegistration request, Caller caller) {
    String description = request.description() == null ? "" : request.description();
    if (description.length() > MAX_DESCRIPTION) {
      throw Refusal.invalid(
          "description",
          "description has %d characters; the limit is %d"
              .formatted(description.length(), MAX_DESCRIPTION));
    }
    VerifyingKey key = parse(request.publicKey());
    String fingerprint = key.fingerprint().toString();
    boolean created =
        keys.insertIfAbsent(fingerprint, key.toBase64(), caller.account(), description);
    WorkerKey registered = keys.find(fingerprint).orElseThrow();
    if (!registered.account().equals(caller.account())) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "key-taken",
          "key already registered by another account: " + fingerprint);
    }
    if (!created) {
      return ResponseEntity.ok(registered);
    }
    note(caller, "worker-key.register", fingerprint, description);
    return ResponseEntity.created(URI.create("/api/v1/worker-keys/" + fingerprint))
        .body(registered);
  }

  @GetMapping
  @Operation(summary = "List workers' keys, oldest first")
  ResponseEntity<Page<WorkerKey>> list(
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor) {
    long after = cursor == null ? 0 : Cursor.parse(cursor, KIND, 1).number(0);
    return Pages.of(
        keys.page(after, Pages.fetch(limit)),
        limit,
        last -> new Cursor(KIND, List.of(Long.toString(last.id()))),
        WorkerKeys.Row::key);
  }

  @GetMapping("/{fingerprint}")
  @Operation(summary = "Read a worker's key by its fingerprint sha256:HEX")
  WorkerKey get(@PathVariable String fingerprint) {
    return keys.find(fingerprint).orElseThrow(() -> Refusal.notFound("key " + fingerprint));
  }

  @PutMapping("/{fingerprint}/approval")
  @Transactional
  @Operation(
      summary = "Approve a key, or change its expiry",
      description = "For admins, after they have made sure that the key belongs to the worker.")
  WorkerKey approve(
      @PathVariable String fingerprint, @RequestBody KeyApproval request, Caller caller) {
    WorkerKey key = lock(fingerprint);
    Instant expiresAt = request.expiresAt();
    if (expiresAt != null && !expiresAt.isAfter(clock.instant())) {
      throw Refusal.invalid("expiresAt", "expiresAt=" + expiresAt + ", must be in the future");
    }
    if (key.state() == WorkerKey.State.REVOKED) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "key-revoked",
          "key %s was revoked permanently: %s; the worker needs a new key"
              .formatted(fingerprint, key.revokeReason()));
    }
    keys.approve(fingerprint, caller.account(), expiresAt);
    note(
        caller,
        "worker-key.approve",
        fingerprint,
        "of " + key.account() + (expiresAt == null ? "" : ", until " + expiresAt));
    return keys.find(fingerprint).orElseThrow();
  }

  @PutMapping("/{fingerprint}/revocation")
  @Transactional
  @Operation(
      summary = "Revoke a key immediately and permanently",
      description =
          "All its attestations are withdrawn, including earlier ones: versions that it attested may"
              + " become unverified. For admins.")
  WorkerKey revoke(
      @PathVariable String fingerprint, @RequestBody KeyRevocation request, Caller caller) {
    WorkerKey key = lock(fingerprint);
    String reason = request.reason();
    if (reason == null || reason.isBlank() || reason.length() > MAX_REASON) {
      throw Refusal.invalid(
          "reason",
          "reason has %d characters; must have 1 to %d"
              .formatted(reason == null ? 0 : reason.strip().length(), MAX_REASON));
    }
    if (key.state() == WorkerKey.State.REVOKED) {
      return key;
    }
    keys.revoke(fingerprint, reason);
    note(caller, "worker-key.revoke", fingerprint, reason);
    events.publishEvent(new WorkerKeys.Revoked(fingerprint));
    return keys.find(fingerprint).orElseThrow();
  }

  private WorkerKey lock(String fingerprint) {
    return keys.lock(fingerprint).orElseThrow(() -> Refusal.notFound("key " + fingerprint));
  }

  private static VerifyingKey parse(@Nullable String publicKey) {
    try {
      return VerifyingKey.parse(publicKey == null ? "" : publicKey);
    } catch (IllegalArgumentException e) {
      throw Refusal.invalid("publicKey", String.valueOf(e.getMessage()));
    }
  }

  private void note(Caller caller, String action, String subject, String detail) {
    audit.add(caller.account(), caller.tokenId(), action, subject, detail);
  }
}
