package dev.nola.registry.catalog;

import dev.nola.api.Alias;
import dev.nola.api.AliasChange;
import dev.nola.api.AliasRequest;
import dev.nola.api.name.NameRule;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Clock;
import java.util.List;
import org.springframework.http.HttpStatus;
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
@RequestMapping("/api/v1/adapters/{namespace}/{name}/aliases")
@Tag(name = "Aliases")
class AliasController {
  private final Adapters adapters;
  private final VersionRepository versions;
  private final AliasRepository aliases;
  private final Clock clock;

  AliasController(
      Adapters adapters, VersionRepository versions, AliasRepository aliases, Clock clock) {
    this.adapters = adapters;
    this.versions = versions;
    this.aliases = aliases;
    this.clock = clock;
  }

  @GetMapping
  @Operation(summary = "List an adapter's aliases")
  List<Alias> list(@PathVariable String namespace, @PathVariable String name, Caller caller) {
    return aliases.ofAdapter(adapters.see(caller, new AdapterName(namespace, name)).id());
  }

  @GetMapping("/{alias}/history")
  @Operation(summary = "List where an alias has pointed, latest first")
  List<AliasChange> history(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String alias,
      Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    List<AliasChange> changes = aliases.history(adapters.see(caller, adapter).id(), alias);
    if (changes.isEmpty()) {
      throw Refusal.notFound("alias " + alias + " of " + adapter);
    }
    return changes;
  }

  @PutMapping("/{alias}")
  @Transactional
  @Operation(
      summary = "Point an alias at a version",
      description = "Creates or moves the alias. For members of the namespace.")
  Alias put(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String alias,
      @RequestBody AliasRequest request,
      Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    long adapterId = adapters.lock(caller, adapter).id();
    if (!NameRule.ALIAS.isMet(alias)) {
      throw Refusal.invalid("alias", NameRule.ALIAS.message(alias));
    }
    VersionEntity version =
        versions
            .findByNumber(adapterId, request.version())
            .orElseThrow(
                () ->
                    Refusal.invalid(
                        "version",
                        "version=%s, must be the number of a version of %s"
                            .formatted(request.version(), adapter)));
    aliases.saveAndFlush(AliasEntity.of(new AliasEntity.Key(adapterId, alias), version.id()));
    aliases.note(adapterId, alias, version.id(), caller.account(), clock.instant());
    adapters.changed(
        adapter, adapterId, caller, "alias.put", adapter + "@" + alias, version.version);
    return new Alias(alias, version.version);
  }

  @DeleteMapping("/{alias}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Transactional
  @Operation(
      summary = "Remove an alias",
      description = "Its history is kept. For members of the namespace.")
  void remove(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String alias,
      Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    long adapterId = adapters.lock(caller, adapter).id();
    AliasEntity found =
        aliases
            .findById(new AliasEntity.Key(adapterId, alias))
            .orElseThrow(() -> Refusal.notFound("alias " + alias + " of " + adapter));
    aliases.delete(found);
    aliases.note(adapterId, alias, null, caller.account(), clock.instant());
    adapters.changed(adapter, adapterId, caller, "alias.remove", adapter + "@" + alias, "");
  }
}
