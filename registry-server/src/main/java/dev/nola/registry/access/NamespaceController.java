package dev.nola.registry.access;

import dev.nola.api.Member;
import dev.nola.api.MemberRequest;
import dev.nola.api.Namespace;
import dev.nola.registry.web.CreatedOrPresent;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints for namespaces and their members. */
@RestController
@RequestMapping("/api/v1/namespaces/{namespace}")
@Tag(name = "Namespaces")
class NamespaceController {
  private final NamespaceService namespaces;

  NamespaceController(NamespaceService namespaces) {
    this.namespaces = namespaces;
  }

  @PutMapping
  @Operation(
      summary = "Create a namespace, owned by the caller",
      description = "201 if it is new, 200 if the caller owns it already.")
  @CreatedOrPresent
  ResponseEntity<Namespace> create(@PathVariable String namespace, Caller caller) {
    NamespaceService.Owned owned = namespaces.create(caller, namespace);
    return ResponseEntity.status(owned.created() ? HttpStatus.CREATED : HttpStatus.OK)
        .body(owned.namespace());
  }

  @GetMapping
  @Operation(summary = "Read a namespace")
  Namespace get(@PathVariable String namespace, Caller caller) {
    return namespaces.get(caller, namespace);
  }

  @GetMapping("/members")
  @Operation(summary = "List a namespace's members", description = "For its members.")
  List<Member> members(@PathVariable String namespace, Caller caller) {
    return namespaces.members(caller, namespace);
  }

  @PutMapping("/members/{account}")
  @Operation(summary = "Make an account a member, or change its role", description = "For owners.")
  Member putMember(
      @PathVariable String namespace,
      @PathVariable String account,
      @RequestBody MemberRequest request,
      Caller caller) {
    return namespaces.putMember(caller, namespace, account, request.role());
  }

  @DeleteMapping("/members/{account}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(summary = "Remove a member", description = "For owners.")
  void removeMember(@PathVariable String namespace, @PathVariable String account, Caller caller) {
    namespaces.removeMember(caller, namespace, account);
  }
}
