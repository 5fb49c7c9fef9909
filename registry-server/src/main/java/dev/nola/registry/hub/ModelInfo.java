package dev.nola.registry.hub;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.nola.digest.Sha256;
import dev.nola.registry.catalog.AdapterName;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the Hub's clients read of a repository. Its components are side by side in their JSON, of
 * which they need some that the registry has one value for.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record ModelInfo(
    @JsonProperty("_id") String key,
    String id,
    String modelId,
    String author,
    @Nullable String sha,
    @JsonProperty("private") boolean isPrivate,
    boolean gated,
    boolean disabled,
    long downloads,
    int likes,
    String lastModified,
    @Nullable String createdAt,
    List<String> tags,
    @JsonProperty("library_name") @Nullable String libraryName,
    @JsonProperty("pipeline_tag") @Nullable String pipelineTag,
    @Nullable CardData cardData,
    @Nullable List<Sibling> siblings) {
  /** Clients parse times by this pattern, which always has a fraction. */
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private static final int KEY_LENGTH = 24;

  /** The tags that every repository has; a filter by one of them selects all. */
  static final List<String> COMMON_TAGS = List.of("nola", "lora", "peft", "safetensors");

  /** The beginning of a tag that names the base model. */
  static final String BASE_MODEL = "base_model:";

  /** The same, when it also says that the repository is an adapter of it. */
  static final String ADAPTER_OF = "base_model:adapter:";

  /** What the head of a model card says. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  record CardData(
      @JsonProperty("base_model") String baseModel,
      String license,
      @JsonProperty("library_name") String libraryName,
      List<String> tags) {}

  /**
   * A file.
   *
   * @param rfilename its path
   * @param size in bytes; null if the request did not ask for it
   * @param blobId id of its blob in Git; null likewise
   * @param lfs null likewise, and for a small file
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Sibling(
      String rfilename, @Nullable Long size, @Nullable String blobId, @Nullable Lfs lfs) {
    /** What a large file is. */
    record Lfs(String sha256, long size, int pointerSize) {}

    static Sibling of(RepositoryFile file, boolean isDetailed) {
      if (!isDetailed) {
        return new Sibling(file.path(), null, null, null);
      }
      Lfs lfs =
          file instanceof RepositoryFile.Large large
              ? new Lfs(large.digest().hex(), large.size(), large.pointer().length)
              : null;
      return new Sibling(file.path(), file.size(), file.id(), lfs);
    }
  }

  /** What an adapter's repository and the Hub's lists have in common. */
  record Facts(
      AdapterName adapter,
      boolean isPrivate,
      long downloads,
      String base,
      String task,
      String license,
      List<String> tags) {
    List<String> allTags() {
      List<String> all = new ArrayList<>(COMMON_TAGS);
      tags.stream().filter(tag -> !all.contains(tag)).forEach(all::add);
      if (!base.isEmpty()) {
        all.add(BASE_MODEL + base);
        all.add(ADAPTER_OF + base);
      }
      return all;
    }
  }

  /** Describes a revision. */
  static ModelInfo of(HubRepository repository, RepositoryTable.Row row, List<Sibling> siblings) {
    String library = repository.folder().lora() == null ? "nola" : "peft";
    Facts facts = row.facts();
    return of(
        facts,
        new Details(
            repository.commit(),
            row.publishedAt(),
            time(row.createdAt()),
            library,
            new CardData(facts.base(), facts.license(), library, facts.tags()),
            siblings));
  }

  /** Describes an entry of a list, by its latest version. */
  static ModelInfo of(Facts facts, Instant lastModified) {
    return of(facts, new Details(null, lastModified, null, null, null, null));
  }

  /** Describes an adapter without versions, and so without files. */
  static ModelInfo ofCreated(Facts facts, Instant createdAt) {
    return of(facts, new Details(null, createdAt, time(createdAt), null, null, List.of()));
  }

  /** What lists leave out, but for the time. */
  private record Details(
      @Nullable String sha,
      Instant lastModified,
      @Nullable String createdAt,
      @Nullable String library,
      @Nullable CardData card,
      @Nullable List<Sibling> siblings) {}

  private static ModelInfo of(Facts facts, Details details) {
    String id = facts.adapter().toString();
    return new ModelInfo(
        key(facts.adapter()),
        id,
        id,
        facts.adapter().namespace(),
        details.sha(),
        facts.isPrivate(),
        false,
        false,
        facts.downloads(),
        0,
        time(details.lastModified()),
        details.createdAt(),
        facts.allTags(),
        details.library(),
        facts.task().isEmpty() ? null : facts.task(),
        details.card(),
        details.siblings());
  }

  private static String time(Instant time) {
    return TIME.format(time);
  }

  /** Returns an identifier in the form of the Hub's. */
  private static String key(AdapterName adapter) {
    return Sha256.hash(adapter.toString().getBytes(StandardCharsets.UTF_8))
        .hex()
        .substring(0, KEY_LENGTH);
  }
}
