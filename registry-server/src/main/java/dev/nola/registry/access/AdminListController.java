package dev.nola.registry.access;

import dev.nola.api.AccountSummary;
import dev.nola.api.Page;
import dev.nola.api.Token;
import dev.nola.registry.web.Pages;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
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
  private final AccessDirectory directory;

  AdminListController(AccessDirectory directory) {
    this.directory = directory;
  }

  @GetMapping("/accounts")
  @Operation(
      summary = "List all accounts by name",
      description = "Those that have a token or are a member of a namespace. For admins.")
  ResponseEntity<Page<AccountSummary>> accounts(
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor) {
    return directory.accounts(limit, cursor);
  }

  @GetMapping("/tokens")
  @Operation(
      summary = "List the tokens of all accounts, oldest first",
      description = "Without their secrets. For admins.")
  ResponseEntity<Page<Token>> tokens(
      @RequestParam(defaultValue = "false") boolean valid,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor) {
    return directory.tokens(valid, limit, cursor);
  }
}
