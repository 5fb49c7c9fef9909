package dev.nola.registry.pages;

import dev.nola.api.AdapterDetails;
import dev.nola.api.Contents;
import dev.nola.api.Page;
import dev.nola.api.VersionDetails;
import dev.nola.api.VersionSummary;
import dev.nola.api.attestation.Attestation;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.AdapterService;
import dev.nola.registry.catalog.AliasService;
import dev.nola.registry.catalog.VersionReader;
import dev.nola.registry.jobs.Trainings;
import dev.nola.registry.verification.AttestationReader;
import dev.nola.registry.web.ServerAddress;
import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;

/** Pages of an adapter: its versions, their layers, and the history of its aliases. */
@Controller
@Hidden
class AdapterPageController {
  /**
   * Adapters are at the root. Spring prefers literal segments to these variables, but not resources
   * or patterns with a rest: so the names with which those begin, and the API's, are left out. No
   * namespace can have them.
   */
  static final String ADAPTER =
      "/{namespace:(?!(?:api|hf|v2|v3|actuator|assets|base|error|swagger-ui)$).+}/{name}";

  private static final int VERSIONS = 20;
  private static final int ATTESTATIONS = 50;
  private static final int LOSSES = 200;
  private static final String LATEST = "latest";

  private final AdapterService adapters;
  private final VersionReader versions;
  private final AliasService aliases;
  private final AttestationReader attestations;
  private final LayerStrengths strengths;
  private final Trainings trainings;

  AdapterPageController(
      AdapterService adapters,
      VersionReader versions,
      AliasService aliases,
      AttestationReader attestations,
      LayerStrengths strengths,
      Trainings trainings) {
    this.adapters = adapters;
    this.versions = versions;
    this.aliases = aliases;
    this.attestations = attestations;
    this.strengths = strengths;
    this.trainings = trainings;
  }

  @GetMapping(ADAPTER)
  String latest(
      @PathVariable String namespace,
      @PathVariable String name,
      @RequestParam(required = false) @Nullable String cursor,
      HttpServletRequest request,
      Caller caller,
      Model model)
      throws IOException {
    AdapterName adapter = new AdapterName(namespace, name);
    AdapterDetails details = adapters.get(caller, adapter);
    if (details.latest() == null) {
      addAdapter(caller, adapter, details, cursor, model);
      return "adapter-without-versions";
    }
    return show(caller, details, LATEST, cursor, request, model);
  }

  @GetMapping(ADAPTER + "/{version}")
  String version(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      @RequestParam(required = false) @Nullable String cursor,
      HttpServletRequest request,
      Caller caller,
      Model model)
      throws IOException {
    AdapterDetails details = adapters.get(caller, new AdapterName(namespace, name));
    return show(caller, details, version, cursor, request, model);
  }

  @GetMapping(ADAPTER + "/{version}/layers")
  String layers(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      Caller caller,
      Model model) {
    AdapterName adapter = new AdapterName(namespace, name);
    VersionDetails found = versions.get(caller, adapter, version);
    model.addAttribute("adapter", adapter);
    model.addAttribute("version", found);
    model.addAttribute("file", found.contents());
    return "layers";
  }

  @GetMapping(ADAPTER + "/aliases/{alias}")
  String history(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String alias,
      Caller caller,
      Model model) {
    AdapterName adapter = new AdapterName(namespace, name);
    model.addAttribute("adapter", adapters.get(caller, adapter));
    model.addAttribute("alias", alias);
    model.addAttribute("changes", aliases.history(caller, adapter, alias));
    return "alias";
  }

  private String show(
      Caller caller,
      AdapterDetails details,
      String reference,
      @Nullable String cursor,
      HttpServletRequest request,
      Model model)
      throws IOException {
    AdapterName adapter = new AdapterName(details.namespace(), details.name());
    VersionDetails version = versions.get(caller, adapter, reference);
    Contents file = version.contents();
    addAdapter(caller, adapter, details, cursor, model);
    model.addAttribute("version", version);
    model.addAttribute("file", file);
    model.addAttribute("parts", FileParts.of(file, version.size()));
    model.addAttribute("map", LayerMap.of(file.layers(), strengths.of(caller, version)));
    Page<Attestation> evidence =
        body(attestations.list(caller, adapter, version.version(), ATTESTATIONS, null));
    model.addAttribute("evidence", evidence.items().stream().map(Evidence::of).toList());
    model.addAttribute("moreEvidence", evidence.next() != null);
    trainings
        .find(caller, adapter.namespace(), adapter.name(), version.version())
        .ifPresent(
            job -> {
              model.addAttribute("job", JobView.of(job, false));
              model.addAttribute("curve", LossCurve.of(trainings.losses(job.id(), LOSSES)));
            });
    model.addAttribute("snippets", Snippets.of(version, ServerAddress.of("", request)));
    return "adapter";
  }

  private void addAdapter(
      Caller caller,
      AdapterName adapter,
      AdapterDetails details,
      @Nullable String cursor,
      Model model) {
    Page<VersionSummary> page = body(versions.list(caller, adapter, VERSIONS, cursor));
    model.addAttribute("adapter", details);
    model.addAttribute("versions", page.items());
    model.addAttribute("nextVersions", page.next());
    model.addAttribute("aliases", aliases.list(caller, adapter));
  }

  private static <T> T body(ResponseEntity<T> answer) {
    return Objects.requireNonNull(answer.getBody());
  }
}
