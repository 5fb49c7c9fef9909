package dev.nola.registry.access;

import dev.nola.api.IssuedToken;
import dev.nola.api.Scope;
import dev.nola.api.Token;
import dev.nola.api.TokenRequest;
import dev.nola.api.Violation;
import dev.nola.api.name.NameRule;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/v1/tokens")
@Tag(name = "Tokens")
class TokenController {
  private static final int MAX_DESCRIPTION = 200;

  private final TokenRepository repository;
  private final Tokens tokens;
  private final AuditLog audit;
  private final Clock clock;

  TokenController(TokenRepository repository, Tokens tokens, AuditLog audit, Clock clock) {
    this.repository = repository;
    this.tokens = tokens;
    this.audit = audit;
    this.clock = clock;
  }

  @PostMapping
  @ResponseStatus(HttpStatus.CREATED)
  @Transactional
  @Operation(
      summary = "Create a token",
      description =
          "Its scopes and namespaces are at most those of the caller's token; admins may grant any"
              + " scope to any account. The response is the only place where the secret is shown.")
  IssuedToken create(@RequestBody TokenRequest request, Caller caller) {
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

  @GetMapping
  @Operation(
      summary = "List an account's tokens, without their secrets",
      description = "Tokens of the caller; admins may name another account.")
  List<Token> list(@RequestParam(required = false) @Nullable String account, Caller caller) {
    String whose = account == null ? caller.account() : account;
    if (!whose.equals(caller.account()) && !caller.isAdmin()) {
      throw Refusal.forbidden("only admins may list the tokens of another account");
    }
    return repository.findByAccountOrderByCreatedAt(whose).stream()
        .map(TokenEntity::toApi)
        .toList();
  }

  @GetMapping("/current")
  @Operation(
      summary = "Read the token of this request",
      description = "Its account, scopes and namespaces.")
  Token current(Caller caller) {
    return Optional.ofNullable(caller.tokenId())
        .flatMap(repository::findById)
        .orElseThrow(() -> Refusal.unauthenticated("token required"))
        .toApi();
  }

  @DeleteMapping("/{id}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Transactional
  @Operation(
      summary = "Revoke a token immediately and permanently",
      description = "One of the caller's tokens; admins may revoke any.")
  void revoke(@PathVariable UUID id, Caller caller) {
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
