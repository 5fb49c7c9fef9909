package dev.nola.registry.access;

import dev.nola.api.Member;
import dev.nola.api.MemberRequest;
import dev.nola.api.Namespace;
import dev.nola.api.Role;
import dev.nola.api.name.NameRule;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Clock;
import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/v1/namespaces/{namespace}")
@Tag(name = "Namespaces")
class NamespaceController {
  private final NamespaceRepository namespaces;
  private final MembershipRepository memberships;
  private final TokenRepository tokens;
  private final Access access;
  private final AuditLog audit;
  private final Clock clock;

  NamespaceController(
      NamespaceRepository namespaces,
      MembershipRepository memberships,
      TokenRepository tokens,
      Access access,
      AuditLog audit,
      Clock clock) {
    this.namespaces = namespaces;
    this.memberships = memberships;
    this.tokens = tokens;
    this.access = access;
    this.audit = audit;
    this.clock = clock;
  }

  @PutMapping
  @Transactional
  @Operation(
      summary = "Create a namespace, owned by the caller",
      responses = {
        @ApiResponse(responseCode = "201", description = "Created", useReturnTypeSchema = true),
        @ApiResponse(
            responseCode = "200",
            description = "The caller owns it already",
            useReturnTypeSchema = true)
      })
  ResponseEntity<Namespace> create(@PathVariable String namespace, Caller caller) {
    if (!NameRule.NAMESPACE.isMet(namespace)) {
      throw Refusal.invalid("namespace", NameRule.NAMESPACE.message(namespace));
    }
    if (!caller.reaches(namespace)) {
      throw Refusal.forbidden("token not valid for namespace " + namespace);
    }
    boolean created = namespaces.insertIfAbsent(namespace, clock.instant()) == 1;
    if (created) {
      long id = find(namespace).id();
      memberships.save(MembershipEntity.of(id, caller.account(), Role.OWNER));
      note(caller, "namespace.create", namespace, "");
    } else if (access.role(caller, namespace).filter(role -> role == Role.OWNER).isEmpty()) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "namespace-taken",
          "namespace taken: " + namespace + " belongs to another account");
    }
    return ResponseEntity.status(created ? HttpStatus.CREATED : HttpStatus.OK)
        .body(show(find(namespace), caller));
  }

  @GetMapping
  @Operation(summary = "Read a namespace")
  Namespace get(@PathVariable String namespace, Caller caller) {
    return show(find(namespace), caller);
  }

  @GetMapping("/members")
  @Operation(summary = "List a namespace's members", description = "For its members.")
  List<Member> members(@PathVariable String namespace, Caller caller) {
    NamespaceEntity found = find(namespace);
    access.requireMember(caller, namespace);
    return memberships.ofNamespace(found.id()).stream()
        .map(member -> new Member(member.key.account(), member.role))
        .toList();
  }

  @PutMapping("/members/{account}")
  @Transactional
  @Operation(summary = "Make an account a member, or change its role", description = "For owners.")
  Member putMember(
      @PathVariable String namespace,
      @PathVariable String account,
      @RequestBody MemberRequest request,
      Caller caller) {
    NamespaceEntity found = lockOwned(namespace, caller);
    if (!tokens.existsByAccount(account)) {
      throw Refusal.invalid(
          "account", "account=" + account + " does not exist: no token was issued for it");
    }
    if (request.role() != Role.OWNER) {
      requireAnotherOwner(found, account);
    }
    memberships.save(MembershipEntity.of(found.id(), account, request.role()));
    note(caller, "member.put", namespace, account + " " + request.role());
    return new Member(account, request.role());
  }

  @DeleteMapping("/members/{account}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Transactional
  @Operation(summary = "Remove a member", description = "For owners.")
  void removeMember(@PathVariable String namespace, @PathVariable String account, Caller caller) {
    NamespaceEntity found = lockOwned(namespace, caller);
    MembershipEntity member =
        memberships
            .findById(new MembershipEntity.Key(found.id(), account))
            .orElseThrow(() -> Refusal.notFound("member " + account));
    requireAnotherOwner(found, account);
    memberships.delete(member);
    note(caller, "member.remove", namespace, account);
  }

  private NamespaceEntity find(String namespace) {
    return namespaces
        .findByName(namespace)
        .orElseThrow(() -> Refusal.notFound("namespace " + namespace));
  }

  private NamespaceEntity lockOwned(String namespace, Caller caller) {
    NamespaceEntity found =
        namespaces
            .lockByName(namespace)
            .orElseThrow(() -> Refusal.notFound("namespace " + namespace));
    access.requireOwner(caller, namespace);
    return found;
  }

  private void requireAnotherOwner(NamespaceEntity namespace, String account) {
    List<MembershipEntity> owners =
        memberships.ofNamespace(namespace.id()).stream()
            .filter(member -> member.role == Role.OWNER)
            .toList();
    if (owners.size() == 1 && owners.getFirst().key.account().equals(account)) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "last-owner",
          "last owner cannot be removed: %s is the only owner of namespace %s"
              .formatted(account, namespace.name));
    }
  }

  private Namespace show(NamespaceEntity namespace, Caller caller) {
    return new Namespace(
        namespace.name, access.role(caller, namespace.name).orElse(null), namespace.createdAt);
  }

  private void note(Caller caller, String action, String subject, String detail) {
    audit.add(caller.account(), caller.tokenId(), action, subject, detail);
  }
}
