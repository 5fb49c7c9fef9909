package dev.nola.registry.access;

import dev.nola.api.AccountSummary;
import dev.nola.api.Page;
import dev.nola.api.Token;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints that list the accounts and tokens of the whole registry, for admins. */
@RestController
@RequestMapping("/api/v1/admin")
@Tag(name = "Administration")
class AdminListController {
  private static final String ACCOUNTS = "accounts";
  private static final String TOKENS = "tokens";

  /** Databases have no times long after it. */
  private static final Instant LATEST = Instant.parse("9999-01-01T00:00:00Z");

  private static final UUID LEAST_ID = new UUID(0, 0);

  private final AccessDirectory directory;
  private final TokenRepository repository;

  AdminListController(AccessDirectory directory, TokenRepository repository) {
    this.directory = directory;
    this.repository = repository;
  }

  @GetMapping("/accounts")
  @Operation(
      summary = "List all accounts by name",
      description = "Those that have a token or are a member of a namespace. For admins.")
  ResponseEntity<Page<AccountSummary>> accounts(
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor) {
    String lastName = cursor == null ? "" : Cursor.parse(cursor, ACCOUNTS, 1).key().getFirst();
    return Pages.of(
        directory.accounts(lastName, Pages.fetch(limit)),
        limit,
        last -> new Cursor(ACCOUNTS, List.of(last.account())),
        account -> account);
  }

  @GetMapping("/tokens")
  @Operation(
      summary = "List the tokens of all accounts, oldest first",
      description = "Without their secrets. For admins.")
  ResponseEntity<Page<Token>> tokens(
      @RequestParam(defaultValue = "false") boolean valid,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor) {
    Position last = cursor == null ? new Position(Instant.EPOCH, LEAST_ID) : position(cursor);
    return Pages.of(
        repository.page(last.createdAt(), last.id(), valid, Pages.fetch(limit)),
        limit,
        token -> new Cursor(TOKENS, List.of(token.createdAt.toString(), token.id.toString())),
        TokenEntity::toApi);
  }

  /** A position in the list of all tokens. */
  private record Position(Instant createdAt, UUID id) {}

  private static Position position(String cursor) {
    List<String> key = Cursor.parse(cursor, TOKENS, 2).key();
    try {
      Instant createdAt = Instant.parse(key.get(0));
      if (createdAt.isAfter(Instant.EPOCH) && createdAt.isBefore(LATEST)) {
        return new Position(createdAt, UUID.fromString(key.get(1)));
      }
    } catch (DateTimeException | IllegalArgumentException _) {
      // no position: refused below
    }
    throw Refusal.invalid(
        "cursor",
        "invalid cursor: %s; must be the value of next from the same list".formatted(cursor));
  }
}
