package dev.nola.registry.access;

import dev.nola.api.IssuedToken;
import dev.nola.api.Token;
import dev.nola.api.TokenRequest;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints to create, list and revoke tokens. */
@RestController
@RequestMapping("/api/v1/tokens")
@Tag(name = "Tokens")
class TokenController {
  private final TokenService tokens;

  TokenController(TokenService tokens) {
    this.tokens = tokens;
  }

  @PostMapping
  @ResponseStatus(HttpStatus.CREATED)
  @Operation(
      summary = "Create a token",
      description =
          "Requires the scope mint. Its scopes and namespaces are at most those of the caller's"
              + " token; admins may grant any scope to any account. It expires no later than the"
              + " caller's token, and is revoked with it. The response is the only place where the"
              + " secret is shown.")
  IssuedToken create(@RequestBody TokenRequest request, Caller caller) {
    return tokens.create(caller, request);
  }

  @GetMapping
  @Operation(
      summary = "List an account's tokens, without their secrets",
      description = "Tokens of the caller; admins may name another account.")
  List<Token> list(@RequestParam(required = false) @Nullable String account, Caller caller) {
    return tokens.list(caller, account);
  }

  @GetMapping("/current")
  @Operation(
      summary = "Read the token of this request",
      description = "Its account, scopes and namespaces.")
  Token current(Caller caller) {
    return tokens.current(caller);
  }

  @DeleteMapping("/{id}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(
      summary = "Revoke a token immediately and permanently",
      description =
          "The caller's token, or one that was minted with it; another one of its account with the"
              + " scope mint or admin and no limit to namespaces; admins without that limit may revoke any."
              + " All tokens that were minted with it are revoked, too, unless an admin sets"
              + " keepChildren.")
  void revoke(
      @PathVariable UUID id,
      @RequestParam(defaultValue = "false") boolean keepChildren,
      Caller caller) {
    tokens.revoke(caller, id, keepChildren);
  }
}
