package dev.nola.registry.hub;

import dev.nola.api.AdapterSummary;
import dev.nola.api.Page;
import dev.nola.api.Visibility;
import dev.nola.api.name.NameRule;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.Search;
import dev.nola.registry.web.IgnoresUnknownParameters;
import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Endpoint that lists repositories, by the search of the catalog. */
@RestController
@Hidden
@IgnoresUnknownParameters
class HubSearchController {
  private static final int LARGEST_PAGE = 100;

  private final Search search;

  HubSearchController(Search search) {
    this.search = search;
  }

  /**
   * Lists repositories.
   *
   * @param words to search for; a client may send several values
   * @param author namespace
   * @param filter tags, or {@code base_model:NAME}
   * @param task what the models are for; found as words, like the search
   * @param sort {@code lastModified}, {@code createdAt} and {@code downloads}; by others the search
   *     decides
   * @param limit larger pages than the registry's are cut, and continue at the {@code Link}
   * @param cursor of the page before
   */
  @GetMapping("/hf/api/models")
  ResponseEntity<List<ModelInfo>> list(
      @RequestParam(name = "search", defaultValue = "") List<String> words,
      @RequestParam(required = false) @Nullable String author,
      @RequestParam(defaultValue = "") List<String> filter,
      @RequestParam(name = "pipeline_tag", required = false) @Nullable String task,
      @RequestParam(required = false) @Nullable String sort,
      @RequestParam(defaultValue = "" + LARGEST_PAGE) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      HttpServletRequest request,
      Caller caller) {
    if (author != null && !NameRule.NAMESPACE.isMet(author)) {
      return ResponseEntity.ok(List.of());
    }
    List<String> all = new ArrayList<>(words);
    if (task != null) {
      all.add('"' + task.replace('"', ' ') + '"');
    }
    Page<AdapterSummary> page =
        search
            .search(
                caller,
                query(String.join(" ", all), author, filter),
                order(sort),
                Math.clamp(limit, 1, LARGEST_PAGE),
                cursor)
            .getBody();
    return answer(Objects.requireNonNull(page), request);
  }

  private static Search.Query query(String words, @Nullable String author, List<String> filter) {
    String base = null;
    List<String> tags = new ArrayList<>();
    for (String one : filter) {
      if (one.startsWith(ModelInfo.ADAPTER_OF)) {
        base = one.substring(ModelInfo.ADAPTER_OF.length());
      } else if (one.startsWith(ModelInfo.BASE_MODEL)) {
        base = one.substring(ModelInfo.BASE_MODEL.length());
      } else if (!ModelInfo.COMMON_TAGS.contains(one)) {
        tags.add(one);
      }
    }
    return new Search.Query(
        words.isBlank() ? null : words, base, null, null, null, null, tags, author, null);
  }

  private static @Nullable String order(@Nullable String sort) {
    return switch (sort) {
      case "lastModified", "createdAt" -> "updated";
      case "downloads" -> "downloads";
      case null, default -> null;
    };
  }

  private static ResponseEntity<List<ModelInfo>> answer(
      Page<AdapterSummary> page, HttpServletRequest request) {
    HttpHeaders headers = new HttpHeaders();
    // The link contains the address by which this client reaches the server: not for shared caches.
    headers.setCacheControl("private, no-cache");
    if (page.next() != null) {
      headers.set(
          HttpHeaders.LINK,
          "<%s>; rel=\"next\"".formatted(HubAddress.ofNextPage(page.next(), request)));
    }
    return new ResponseEntity<>(
        page.items().stream().map(HubSearchController::info).toList(), headers, HttpStatus.OK);
  }

  private static ModelInfo info(AdapterSummary adapter) {
    return ModelInfo.of(
        new ModelInfo.Facts(
            new AdapterName(adapter.namespace(), adapter.name()),
            adapter.visibility() == Visibility.PRIVATE,
            adapter.downloads(),
            adapter.base(),
            adapter.task(),
            adapter.license(),
            adapter.tags()),
        adapter.updatedAt());
  }
}
