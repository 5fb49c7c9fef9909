package dev.nola.registry.catalog;

import dev.nola.api.Alias;
import dev.nola.api.AliasChange;
import dev.nola.api.AliasRequest;
import dev.nola.registry.access.Caller;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints for the aliases of an adapter. */
@RestController
@RequestMapping("/api/v1/adapters/{namespace}/{name}/aliases")
@Tag(name = "Aliases")
class AliasController {
  private final AliasService aliases;

  AliasController(AliasService aliases) {
    this.aliases = aliases;
  }

  @GetMapping
  @Operation(summary = "List an adapter's aliases")
  List<Alias> list(@PathVariable String namespace, @PathVariable String name, Caller caller) {
    return aliases.list(caller, new AdapterName(namespace, name));
  }

  @GetMapping("/{alias}/history")
  @Operation(summary = "List where an alias has pointed, latest first")
  List<AliasChange> history(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String alias,
      Caller caller) {
    return aliases.history(caller, new AdapterName(namespace, name), alias);
  }

  @PutMapping("/{alias}")
  @Operation(
      summary = "Point an alias to a version",
      description = "Creates or moves the alias. For members of the namespace.")
  Alias put(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String alias,
      @RequestBody AliasRequest request,
      Caller caller) {
    return aliases.put(caller, new AdapterName(namespace, name), alias, request.version());
  }

  @DeleteMapping("/{alias}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(
      summary = "Remove an alias",
      description = "Its history is kept. For members of the namespace.")
  void remove(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String alias,
      Caller caller) {
    aliases.remove(caller, new AdapterName(namespace, name), alias);
  }
}
