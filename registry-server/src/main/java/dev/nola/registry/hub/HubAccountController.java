package dev.nola.registry.hub;

import dev.nola.api.Scope;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.IgnoresUnknownParameters;
import io.swagger.v3.oas.annotations.Hidden;
import java.util.List;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Endpoint that tells whose token a client has. */
@RestController
@Hidden
@IgnoresUnknownParameters
class HubAccountController {
  private final Access access;

  HubAccountController(Access access) {
    this.access = access;
  }

  /**
   * An account.
   *
   * @param type {@code user}
   * @param id of the account
   * @param name of the account
   * @param fullname the same
   * @param orgs namespaces of the account, within the limits of its token
   * @param auth the token
   */
  record Account(
      String type, String id, String name, String fullname, List<Organization> orgs, Auth auth) {}

  /** A namespace. */
  record Organization(String type, String id, String name, String fullname) {}

  /** How the request was authenticated. */
  record Auth(String type, AccessToken accessToken) {}

  /** A token. */
  record AccessToken(String displayName, String role) {}

  @GetMapping("/hf/api/whoami-v2")
  Account account(Caller caller) {
    List<Organization> namespaces =
        access.namespacesOf(caller).stream()
            .sorted()
            .map(name -> new Organization("org", name, name, name))
            .toList();
    String account = caller.account();
    String role = caller.may(Scope.PUBLISH) ? "write" : "read";
    return new Account(
        "user",
        account,
        account,
        account,
        namespaces,
        new Auth("access_token", new AccessToken(String.valueOf(caller.tokenId()), role)));
  }
}
