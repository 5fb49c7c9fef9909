package dev.nola.registry.pages;

import dev.nola.api.AdapterSummary;
import dev.nola.api.Namespace;
import dev.nola.api.Page;
import dev.nola.registry.access.Caller;
import dev.nola.registry.access.NamespaceService;
import dev.nola.registry.catalog.NewVersions;
import dev.nola.registry.catalog.Quota;
import dev.nola.registry.catalog.Search;
import dev.nola.registry.web.ServerAddress;
import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;

/** The page of a namespace, and the feed of what it publishes. */
@Controller
@Hidden
class NamespacePageController {
  private static final int ROWS = 20;
  private static final MediaType RSS =
      new MediaType("application", "rss+xml", StandardCharsets.UTF_8);

  private final NamespaceService namespaces;
  private final Search search;
  private final Quota quota;
  private final NewVersions newVersions;

  NamespacePageController(
      NamespaceService namespaces, Search search, Quota quota, NewVersions newVersions) {
    this.namespaces = namespaces;
    this.search = search;
    this.quota = quota;
    this.newVersions = newVersions;
  }

  @GetMapping("/ns/{namespace}")
  String show(
      @PathVariable String namespace,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller,
      Model model) {
    Namespace found = namespaces.get(caller, namespace);
    Page<AdapterSummary> page =
        Objects.requireNonNull(
            search
                .search(
                    caller,
                    new Search.Query(null, null, null, null, null, null, null, namespace, null),
                    "updated",
                    ROWS,
                    cursor)
                .getBody());
    model.addAttribute("namespace", found);
    model.addAttribute("adapters", page.items());
    model.addAttribute("next", page.next());
    model.addAttribute("later", cursor != null);
    model.addAttribute("feed", "/feed/" + namespace + ".rss");
    if (found.role() != null) {
      model.addAttribute("members", namespaces.members(caller, namespace));
      model.addAttribute("usage", quota.usageOf(namespace));
    }
    return "namespace";
  }

  @GetMapping("/feed/{namespace}.rss")
  ResponseEntity<byte[]> feed(@PathVariable String namespace, HttpServletRequest request) {
    byte[] feed = RssFeed.of(namespace, newVersions.of(namespace), ServerAddress.of("", request));
    return ResponseEntity.ok().contentType(RSS).body(feed);
  }
}
