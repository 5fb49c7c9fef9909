package dev.nola.registry.keys;

import dev.nola.api.Page;
import dev.nola.api.attestation.KeyRegistration;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import java.time.Clock;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Registers, approves and revokes the keys of workers, and writes the audit log. */
@Service
public class WorkerKeyService {
  private static final String LIST = "worker-keys";
  private static final int MAX_DESCRIPTION = 200;
  private static final int MAX_REASON = 500;

  private final WorkerKeyRepository keys;
  private final AuditLog audit;
  private final ApplicationEventPublisher events;
  private final Clock clock;

  WorkerKeyService(
      WorkerKeyRepository keys, AuditLog audit, ApplicationEventPublisher events, Clock clock) {
    this.keys = keys;
    this.audit = audit;
    this.events = events;
    this.clock = clock;
  }

  /**
   * A registered key.
   *
   * @param key as the API shows it
   * @param created whether it is new
   */
  record Registered(WorkerKey key, boolean created) {}

  /**
   * Lists workers' keys, oldest first.
   *
   * @param limit maximum number of keys
   * @param cursor of the page before; null for the first page
   * @return a page
   * @throws Refusal with status 422 if the limit or cursor is invalid
   */
  public ResponseEntity<Page<WorkerKey>> list(int limit, @Nullable String cursor) {
    long lastId = cursor == null ? 0 : Cursor.parse(cursor, LIST, 1).number(0);
    return Pages.of(
        keys.page(lastId, Pages.fetch(limit)),
        limit,
        last -> new Cursor(LIST, List.of(Long.toString(last.id()))),
        WorkerKeyRepository.Row::key);
  }

  /**
   * Registers a key for the caller's account.
   *
   * @param caller of the request
   * @param request the key
   * @return the key
   * @throws Refusal if the request breaks a rule, or another account has registered the key
   */
  @Transactional
  Registered register(Caller caller, KeyRegistration request) {
    String description = request.description() == null ? "" : request.description();
    if (description.length() > MAX_DESCRIPTION) {
      throw Refusal.invalid(
          "description",
          "description has %d characters; the limit is %d"
              .formatted(description.length(), MAX_DESCRIPTION));
    }
    VerifyingKey key = parse(request.publicKey());
    Sha256 fingerprint = key.fingerprint();
    boolean created =
        keys.insertIfAbsent(fingerprint, key.toBase64(), caller.account(), description);
    WorkerKey registered = keys.find(fingerprint).orElseThrow();
    if (!registered.account().equals(caller.account())) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "key-taken",
          "key already registered by another account: " + fingerprint);
    }
    if (created) {
      note(caller, "worker-key.register", fingerprint, description);
    }
    return new Registered(registered, created);
  }

  /**
   * Keeps keys from being revoked until the transaction ends; registers those for the caller's
   * account that are new. To be called as {@link WorkerKeyRepository#hold}.
   *
   * @param caller of the request
   * @param signers the keys
   * @param description of keys that are new
   * @return all keys as they are, by fingerprint
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public Map<Sha256, WorkerKey> holdOrRegister(
      Caller caller, Collection<VerifyingKey> signers, String description) {
    for (VerifyingKey key : signers) {
      if (keys.insertIfAbsent(key.fingerprint(), key.toBase64(), caller.account(), description)) {
        note(caller, "worker-key.register", key.fingerprint(), description);
      }
    }
    return keys.hold(signers.stream().map(VerifyingKey::fingerprint).toList());
  }

  /**
   * Approves a key, or changes its expiry.
   *
   * @param caller of the request
   * @param fingerprint of the key
   * @param expiresAt when the approval ends; null for never
   * @return the key
   * @throws Refusal if the key does not exist, it was revoked, or the expiry is in the past
   */
  @Transactional
  public WorkerKey approve(Caller caller, Sha256 fingerprint, @Nullable Instant expiresAt) {
    WorkerKey key = lock(fingerprint);
    if (expiresAt != null && !expiresAt.isAfter(clock.instant())) {
      throw Refusal.invalid(
          "expiresAt", "invalid expiresAt: " + expiresAt + "; must be in the future");
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

  /**
   * Revokes a key permanently; does nothing if it is revoked already.
   *
   * @param caller of the request
   * @param fingerprint of the key
   * @param reason why
   * @return the key
   * @throws Refusal if the key does not exist, or the reason breaks a rule
   */
  @Transactional
  public WorkerKey revoke(Caller caller, Sha256 fingerprint, @Nullable String reason) {
    WorkerKey key = lock(fingerprint);
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
    events.publishEvent(new WorkerKeyRepository.Revoked(fingerprint));
    return keys.find(fingerprint).orElseThrow();
  }

  private WorkerKey lock(Sha256 fingerprint) {
    return keys.lock(fingerprint).orElseThrow(() -> Refusal.notFound("key " + fingerprint));
  }

  private static VerifyingKey parse(@Nullable String publicKey) {
    try {
      return VerifyingKey.parse(publicKey == null ? "" : publicKey);
    } catch (IllegalArgumentException e) {
      throw Refusal.invalid("publicKey", String.valueOf(e.getMessage()));
    }
  }

  private void note(Caller caller, String action, Sha256 fingerprint, String detail) {
    audit.add(caller.account(), caller.tokenId(), action, fingerprint.toString(), detail);
  }
}
