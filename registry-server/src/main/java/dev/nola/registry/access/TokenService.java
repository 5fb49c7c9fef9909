package dev.nola.registry.access;

import dev.nola.api.IssuedToken;
import dev.nola.api.Scope;
import dev.nola.api.Token;
import dev.nola.api.TokenRequest;
import dev.nola.api.Violation;
import dev.nola.api.name.NameRule;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Refusal;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Creates, lists and revokes tokens, if the caller may, and writes the audit log. */
@Service
class TokenService {
  private static final int MAX_DESCRIPTION = 200;

  private final TokenRepository repository;
  private final TokenIssuer tokens;
  private final AuditLog audit;
  private final Clock clock;

  TokenService(TokenRepository repository, TokenIssuer tokens, AuditLog audit, Clock clock) {
    this.repository = repository;
    this.tokens = tokens;
    this.audit = audit;
    this.clock = clock;
  }

  /**
   * Creates a token.
   *
   * @param caller of the request
   * @param request holder and rights of the token; the caller's account by default
   * @return the token with its secret
   * @throws Refusal if the request breaks a rule, or has rights that the caller's token lacks
   */
  @Transactional
  IssuedToken create(Caller caller, TokenRequest request) {
    String account = request.account() == null ? caller.account() : request.account();
    List<Scope> scopes = request.scopes() == null ? List.of() : request.scopes();
    String description = request.description() == null ? "" : request.description();
    requireValid(request, account, scopes, description);
    requireWithin(caller, account, scopes, request.namespaces());
    String secret = tokens.newSecret();
    TokenEntity token =
        tokens.add(secret, account, description, scopes, request.namespaces(), request.expiresAt());
    audit.add(
        caller.account(),
        caller.tokenId(),
        "token.create",
        token.id.toString(),
        "for " + account + ", scopes " + scopes);
    return new IssuedToken(token.toApi(), secret);
  }

  /**
   * Lists the tokens of an account.
   *
   * @param caller of the request
   * @param account of the tokens; null for the caller's
   * @return the tokens, oldest first
   * @throws Refusal with status 403 if the account is another one and the caller is not an admin
   */
  List<Token> list(Caller caller, @Nullable String account) {
    String holder = account == null ? caller.account() : account;
    if (!holder.equals(caller.account()) && !caller.isAdmin()) {
      throw Refusal.forbidden("only admins may list the tokens of another account");
    }
    return repository.findByAccountOrderByCreatedAt(holder).stream()
        .map(TokenEntity::toApi)
        .toList();
  }

  /**
   * Reads the caller's token.
   *
   * @param caller of the request
   * @return the token
   * @throws Refusal with status 401 if the request has none
   */
  Token current(Caller caller) {
    return Optional.ofNullable(caller.tokenId())
        .flatMap(repository::findById)
        .orElseThrow(() -> Refusal.unauthenticated("token required"))
        .toApi();
  }

  /**
   * Revokes a token.
   *
   * @param caller of the request
   * @param id of the token
   * @throws Refusal with status 404 if there is none that the caller may revoke
   */
  @Transactional
  void revoke(Caller caller, UUID id) {
    TokenEntity token =
        repository
            .findById(id)
            .filter(found -> caller.isAdmin() || found.account.equals(caller.account()))
            .orElseThrow(() -> Refusal.notFound("token " + id));
    tokens.revoke(token);
    audit.add(caller.account(), caller.tokenId(), "token.revoke", id.toString(), token.account);
  }

  private void requireValid(
      TokenRequest request, String account, List<Scope> scopes, String description) {
    List<Violation> violations = new ArrayList<>();
    if (!NameRule.ACCOUNT.isMet(account)) {
      violations.add(new Violation("account", NameRule.ACCOUNT.message(account)));
    }
    if (scopes.isEmpty()) {
      violations.add(new Violation("scopes", "scopes is empty; name at least one"));
    }
    if (description.length() > MAX_DESCRIPTION) {
      violations.add(
          new Violation(
              "description",
              "description has %d characters; the limit is %d"
                  .formatted(description.length(), MAX_DESCRIPTION)));
    }
    if (request.namespaces() != null && request.namespaces().isEmpty()) {
      violations.add(
          new Violation("namespaces", "namespaces is empty; name at least one, or omit it"));
    }
    if (request.expiresAt() != null && !request.expiresAt().isAfter(clock.instant())) {
      violations.add(
          new Violation(
              "expiresAt", "expiresAt=" + request.expiresAt() + ", must be in the future"));
    }
    if (!violations.isEmpty()) {
      throw Refusal.invalid(violations);
    }
  }

  private static void requireWithin(
      Caller caller, String account, List<Scope> scopes, @Nullable List<String> namespaces) {
    if (caller.isAdmin() && caller.namespaces() == null) {
      return;
    }
    if (!account.equals(caller.account())) {
      throw Refusal.forbidden("only admins may create tokens for another account");
    }
    for (Scope scope : scopes) {
      if (!caller.may(scope)) {
        throw Refusal.forbidden(
            "scope not allowed: " + scope + "; a new token has at most the scopes of yours");
      }
    }
    if (caller.namespaces() != null
        && (namespaces == null || !caller.namespaces().containsAll(namespaces))) {
      throw Refusal.forbidden(
          "namespaces not allowed; your token is valid in %s only, and so are tokens created with it"
              .formatted(caller.namespaces()));
    }
  }
}
