package dev.nola.registry.pages;

import dev.nola.api.AccountSummary;
import dev.nola.api.Page;
import dev.nola.api.Token;
import dev.nola.registry.access.AccessDirectory;
import dev.nola.registry.access.Caller;
import dev.nola.registry.access.TokenService;
import io.swagger.v3.oas.annotations.Hidden;
import java.time.Clock;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;

/** Pages of all accounts and tokens, for admins. */
@Controller
@Hidden
class AccountPageController {
  private static final int ROWS = 50;

  private final AccessDirectory directory;
  private final TokenService tokens;
  private final Clock clock;

  AccountPageController(AccessDirectory directory, TokenService tokens, Clock clock) {
    this.directory = directory;
    this.tokens = tokens;
    this.clock = clock;
  }

  @GetMapping("/admin/accounts")
  String accounts(@RequestParam(required = false) @Nullable String cursor, Model model) {
    Page<AccountSummary> page = Objects.requireNonNull(directory.accounts(ROWS, cursor).getBody());
    model.addAttribute("accounts", page.items());
    model.addAttribute("next", page.next());
    model.addAttribute("later", cursor != null);
    return "admin-accounts";
  }

  @GetMapping("/admin/tokens")
  String tokens(
      @RequestParam(defaultValue = "") String account,
      @RequestParam(defaultValue = "true") boolean valid,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller,
      Model model) {
    String holder = account.strip();
    Page<Token> page =
        holder.isEmpty()
            ? Objects.requireNonNull(directory.tokens(valid, ROWS, cursor).getBody())
            : new Page<>(tokens.list(caller, holder), null);
    model.addAttribute(
        "tokens",
        page.items().stream()
            .map(token -> TokenView.of(token, clock.instant(), caller.tokenId()))
            .filter(token -> !valid || token.valid())
            .toList());
    model.addAttribute("account", holder);
    model.addAttribute("valid", valid);
    model.addAttribute("next", page.next());
    model.addAttribute("later", cursor != null);
    return "admin-tokens";
  }

  @PostMapping("/admin/tokens/{id}/revoke")
  String revoke(
      @PathVariable UUID id,
      @RequestParam(defaultValue = "false") boolean keepChildren,
      Caller caller) {
    tokens.revoke(caller, id, keepChildren);
    return id.equals(caller.tokenId()) ? "redirect:/" : "redirect:/admin/tokens";
  }
}
