package dev.nola.registry.access;

import dev.nola.api.Member;
import dev.nola.api.MemberRequest;
import dev.nola.api.Namespace;
import dev.nola.api.Page;
import dev.nola.registry.web.CreatedOrPresent;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints for namespaces and their members. */
@RestController
@RequestMapping("/api/v1/namespaces")
@Tag(name = "Namespaces")
class NamespaceController {
  private static final String LIST = "namespaces";

  private final NamespaceService namespaces;
  private final AccessDirectory directory;

  NamespaceController(NamespaceService namespaces, AccessDirectory directory) {
    this.namespaces = namespaces;
    this.directory = directory;
  }

  @GetMapping
  @Operation(
      summary = "List namespaces by name",
      description =
          "Those that the caller is a member of; admins see all, or those that their token is limited"
              + " to.")
  ResponseEntity<Page<Namespace>> list(
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    String lastName = cursor == null ? "" : Cursor.parse(cursor, LIST, 1).key().getFirst();
    return Pages.of(
        directory.namespaces(caller, lastName, Pages.fetch(limit)),
        limit,
        last -> new Cursor(LIST, List.of(last.name())),
        namespace -> namespace);
  }

  @PutMapping("/{namespace}")
  @Operation(
      summary = "Create a namespace, owned by the caller",
      description = "201 if it is new, 200 if the caller owns it already.")
  @CreatedOrPresent
  ResponseEntity<Namespace> create(@PathVariable String namespace, Caller caller) {
    NamespaceService.Owned owned = namespaces.create(caller, namespace);
    return ResponseEntity.status(owned.created() ? HttpStatus.CREATED : HttpStatus.OK)
        .body(owned.namespace());
  }

  @DeleteMapping("/{namespace}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(
      summary = "Delete an empty namespace",
      description =
          "409 namespace-not-empty if it has, or ever had, an adapter, a model, a dataset or a job: a"
              + " name must not come to mean something else. For owners.")
  void delete(@PathVariable String namespace, Caller caller) {
    namespaces.delete(caller, namespace);
  }

  @GetMapping("/{namespace}")
  @Operation(summary = "Read a namespace")
  Namespace get(@PathVariable String namespace, Caller caller) {
    return namespaces.get(caller, namespace);
  }

  @GetMapping("/{namespace}/members")
  @Operation(summary = "List a namespace's members", description = "For its members.")
  List<Member> members(@PathVariable String namespace, Caller caller) {
    return namespaces.members(caller, namespace);
  }

  @PutMapping("/{namespace}/members/{account}")
  @Operation(
      summary = "Make an account a member, or change its role",
      description = "422 if the account does not exist: it never had a token. For owners.")
  Member putMember(
      @PathVariable String namespace,
      @PathVariable String account,
      @RequestBody MemberRequest request,
      Caller caller) {
    return namespaces.putMember(caller, namespace, account, request.role());
  }

  @DeleteMapping("/{namespace}/members/{account}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(summary = "Remove a member", description = "For owners.")
  void removeMember(@PathVariable String namespace, @PathVariable String account, Caller caller) {
    namespaces.removeMember(caller, namespace, account);
  }
}
