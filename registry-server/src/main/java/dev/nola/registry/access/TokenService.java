package dev.nola.registry.access;

import dev.nola.api.IssuedToken;
import dev.nola.api.Scope;
import dev.nola.api.Token;
import dev.nola.api.TokenRequest;
import dev.nola.api.Violation;
import dev.nola.api.name.NameRule;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Creates, lists and revokes tokens, if the caller may, and writes the audit log. */
@Service
public class TokenService {
  private static final int MAX_DESCRIPTION = 200;
  private static final int MAX_NAMESPACES = 100;

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
   * Mints a token with the caller's, which it ends with: it expires no later, and is revoked with
   * it.
   *
   * @param caller of the request
   * @param request holder and rights of the token; the caller's account by default, and the expiry
   *     of the caller's token
   * @return the token with its secret
   * @throws Refusal if the request breaks a rule, or has rights that the caller's token lacks
   */
  @Transactional
  IssuedToken create(Caller caller, TokenRequest request) {
    TokenEntity parent =
        Optional.ofNullable(caller.tokenId())
            .flatMap(repository::holdById)
            .filter(token -> token.isValid(clock.instant()))
            .orElseThrow(() -> Refusal.unauthenticated("token required"));
    TokenGrant grant =
        new TokenGrant(
            request.account() == null ? caller.account() : request.account(),
            request.description() == null ? "" : request.description(),
            request.scopes() == null ? List.of() : request.scopes(),
            request.namespaces(),
            request.expiresAt() == null ? parent.expiresAt : request.expiresAt(),
            parent.id);
    requireValid(caller, grant, parent.expiresAt);
    requireWithin(caller, grant);
    String secret = tokens.newSecret();
    TokenEntity token = tokens.add(secret, grant);
    audit.add(
        caller.account(),
        caller.tokenId(),
        "token.create",
        token.id.toString(),
        "for " + grant.account() + ", scopes " + grant.scopes().stream().map(Label::of).toList());
    return new IssuedToken(token.toApi(), secret);
  }

  /**
   * Lists the tokens of an account.
   *
   * @param caller of the request
   * @param account of the tokens; null for the caller's
   * @return the tokens, oldest first
   * @throws Refusal with status 403 if the account is another one and the caller is not an admin
   *     everywhere, 422 if it breaks the rule of accounts
   */
  public List<Token> list(Caller caller, @Nullable String account) {
    String holder = account == null ? caller.account() : account;
    if (!NameRule.ACCOUNT.isMet(holder)) {
      throw Refusal.invalid("account", NameRule.ACCOUNT.message(holder));
    }
    if (!holder.equals(caller.account()) && !caller.isGlobalAdmin()) {
      throw Refusal.forbidden(
          "only admins whose token is not limited to namespaces may list the tokens of another account");
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
   * Revokes a token, and all that were minted with it.
   *
   * @param caller of the request
   * @param id of the token
   * @param keepChildren whether those that were minted with it stay valid, such as when an admin's
   *     token is replaced that others' tokens were issued with
   * @throws Refusal with status 404 if it does not exist or the caller may not know of it; with 403
   *     if it may not revoke it, or not keep its children
   */
  @Transactional
  public void revoke(Caller caller, UUID id, boolean keepChildren) {
    TokenEntity token =
        repository
            .findById(id)
            .filter(found -> caller.isGlobalAdmin() || found.account.equals(caller.account()))
            .orElseThrow(() -> Refusal.notFound("token " + id));
    requireMayRevoke(caller, id);
    if (keepChildren && !caller.isGlobalAdmin()) {
      throw Refusal.forbidden(
          "only admins whose token is not limited to namespaces may set keepChildren");
    }
    String kept =
        keepChildren ? ", " + repository.releaseChildren(id) + " minted with it kept" : "";
    int others = tokens.revoke(token);
    audit.add(
        caller.account(),
        caller.tokenId(),
        "token.revoke",
        id.toString(),
        token.account + (others == 0 ? "" : ", " + others + " minted with it") + kept);
  }

  /** A leaked token must not end others of its account, such as those it was minted with. */
  private void requireMayRevoke(Caller caller, UUID id) {
    boolean managesAccount = caller.namespaces() == null && caller.may(Scope.MINT);
    if (!managesAccount && !repository.isMintedWith(id, caller.tokenId())) {
      throw Refusal.forbidden(
          "only tokens with the scope mint or admin and no limit to namespaces may revoke other tokens"
              + " of their account; yours may revoke itself and those minted with it");
    }
  }

  private void requireValid(Caller caller, TokenGrant grant, @Nullable Instant limit) {
    List<Violation> violations = new ArrayList<>();
    String account = grant.account();
    if (!NameRule.ACCOUNT.isMet(account)) {
      violations.add(new Violation("account", NameRule.ACCOUNT.message(account)));
    } else if (ReservedNames.contains(account) && !account.equals(caller.account())) {
      violations.add(new Violation("account", ReservedNames.message("account", account)));
    }
    if (grant.scopes().isEmpty()) {
      violations.add(new Violation("scopes", "scopes is empty; name at least one"));
    }
    if (grant.description().length() > MAX_DESCRIPTION) {
      violations.add(
          new Violation(
              "description",
              "description has %d characters; the limit is %d"
                  .formatted(grant.description().length(), MAX_DESCRIPTION)));
    }
    requireNamespaces(grant.namespaces(), violations);
    Instant expiresAt = grant.expiresAt();
    if (expiresAt != null && !expiresAt.isAfter(clock.instant())) {
      violations.add(
          new Violation(
              "expiresAt", "invalid expiresAt: " + expiresAt + "; must be in the future"));
    } else if (limit != null && expiresAt != null && expiresAt.isAfter(limit)) {
      violations.add(
          new Violation(
              "expiresAt",
              "invalid expiresAt: %s; must be no later than %s, when your own token expires"
                  .formatted(expiresAt, limit)));
    }
    if (!violations.isEmpty()) {
      throw Refusal.invalid(violations);
    }
  }

  private static void requireNamespaces(
      @Nullable List<String> namespaces, List<Violation> violations) {
    if (namespaces == null) {
      return;
    }
    if (namespaces.isEmpty()) {
      violations.add(
          new Violation("namespaces", "namespaces is empty; name at least one, or omit it"));
    } else if (namespaces.size() > MAX_NAMESPACES) {
      violations.add(
          new Violation(
              "namespaces",
              "namespaces has %d names; the limit is %d"
                  .formatted(namespaces.size(), MAX_NAMESPACES)));
    }
    namespaces.stream()
        .filter(namespace -> !NameRule.NAMESPACE.isMet(namespace))
        .findFirst()
        .ifPresent(
            namespace ->
                violations.add(new Violation("namespaces", NameRule.NAMESPACE.message(namespace))));
  }

  private static void requireWithin(Caller caller, TokenGrant grant) {
    if (caller.isGlobalAdmin()) {
      return;
    }
    if (!grant.account().equals(caller.account())) {
      throw Refusal.forbidden(
          "only admins whose token is not limited to namespaces may create tokens for another account");
    }
    for (Scope scope : grant.scopes()) {
      if (!caller.may(scope)) {
        throw Refusal.forbidden(
            "scope not allowed: "
                + Label.of(scope)
                + "; a new token has at most the scopes of yours");
      }
    }
    if (caller.namespaces() != null
        && (grant.namespaces() == null || !caller.namespaces().containsAll(grant.namespaces()))) {
      throw Refusal.forbidden(
          "namespaces not allowed; your token is valid in %s only, and so are tokens created with it"
              .formatted(caller.namespaces()));
    }
  }
}
