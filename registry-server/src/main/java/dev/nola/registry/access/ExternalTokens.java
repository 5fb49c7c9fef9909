package dev.nola.registry.access;

import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.stereotype.Service;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Admits callers by the statements of other issuers. Each statement of an issuer becomes a token of
 * this registry, so that limits, lists, revocation and the audit log treat it as any other.
 */
@Service
public class ExternalTokens {
  private static final int MAX_DESCRIPTION = 200;

  private final TokenIssuer tokens;
  private final TokenRepository repository;
  private final ExternalMemberships memberships;
  private final ExternalTokenReader reader;
  private final AuditLog audit;
  private final Clock clock;
  private final TransactionTemplate transaction;

  /** Takes more than six beans: it reads, stores and records in one transaction. */
  ExternalTokens(
      TokenIssuer tokens,
      TokenRepository repository,
      ExternalMemberships memberships,
      ExternalTokenReader reader,
      AuditLog audit,
      Clock clock,
      TransactionTemplate transaction) {
    this.tokens = tokens;
    this.repository = repository;
    this.memberships = memberships;
    this.reader = reader;
    this.audit = audit;
    this.clock = clock;
    this.transaction = transaction;
  }

  /**
   * Identifies the holder of a bearer token, of this registry or of another issuer.
   *
   * @param secret the token
   * @return its holder; empty if it is unknown, expired or revoked
   * @throws Refusal with status 503 if the issuer's keys cannot be fetched now; with 403 if this
   *     registry does not admit the caller
   */
  Optional<Caller> recognise(String secret) {
    return tokens
        .recognise(secret)
        .or(
            () -> {
              if (!isSigned(secret)
                  || repository.findByHash(TokenIssuer.hash(secret)).isPresent()) {
                return Optional.empty(); // the latter is one that was revoked or has expired
              }
              reader.read(secret).ifPresent(grant -> admit(secret, grant));
              return tokens.recognise(secret);
            });
  }

  /**
   * Admits a caller with a new token, such as for a session.
   *
   * @param grant what it may do
   * @return the secret of the token
   */
  public String issue(ExternalGrant grant) {
    String secret = tokens.newSecret();
    admit(secret, grant);
    return secret;
  }

  private void admit(String secret, ExternalGrant grant) {
    if (!grant.expiresAt().isAfter(clock.instant())) {
      return;
    }
    if (grant.rights().scopes().isEmpty()) {
      transaction.executeWithoutResult(_ -> memberships.apply(grant, null));
      throw Refusal.forbidden(
          "account %s has lost its groups that may use this registry; ask an admin of the OpenID provider"
              .formatted(grant.account()));
    }
    transaction.executeWithoutResult(
        _ -> {
          memberships.lock(grant);
          if (repository.findByHash(TokenIssuer.hash(secret)).isPresent()) {
            return; // two requests came at once
          }
          UUID id = tokens.add(secret, tokenOf(grant)).id;
          memberships.apply(grant, id);
          audit.add(
              grant.account(),
              id,
              "token.external",
              id.toString(),
              "by %s for %s, scopes %s"
                  .formatted(
                      grant.issuer(),
                      grant.subject(),
                      grant.rights().scopes().stream().sorted().map(Label::of).toList()));
        });
  }

  private static TokenGrant tokenOf(ExternalGrant grant) {
    String description = grant.issuer() + " " + grant.subject();
    List<String> namespaces = grant.rights().namespaces();
    return new TokenGrant(
        grant.account(),
        description.substring(0, Math.min(description.length(), MAX_DESCRIPTION)),
        grant.rights().scopes(),
        namespaces,
        grant.expiresAt(),
        null);
  }

  /** Returns whether a token has the form of a JWT: three parts, the first a JSON object. */
  private static boolean isSigned(String secret) {
    return secret.startsWith("eyJ") && secret.chars().filter(c -> c == '.').count() == 2;
  }
}
