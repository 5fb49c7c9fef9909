package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Metadata;
import dev.nola.registry.TestClient.Answer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SearchTest {
  private static TestRegistry registry = TestRegistry.shared();
  private static TestClient ann = registry.admin();

  @BeforeAll
  static void fill() throws Exception {
    registry = TestRegistry.start();
    ann = registry.admin().account("ann", "publish");
    ann.put("/api/v1/namespaces/acme");
    ann.put("/api/v1/namespaces/other");
    publish("acme/mood-llama", "Tells moods of reviews", "meta-llama/Llama-2-7b-hf", 4, "mood");
    publish("acme/mood-gpt", "Tells moods of tweets", "openai-community/gpt2", 8, "mood", "tweets");
    publish("acme/sql", "Writes queries for databases", "meta-llama/Llama-2-7b-hf", 8, "code");
    publish("other/poems", "Rhymes, with a feeling for mood", "openai-community/gpt2", 4, "art");
    assertThat(ann.publishPrivate("other/secret@1.0.0", Samples.file(9, Samples.METADATA)).status())
        .isEqualTo(201);
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  private static void publish(
      String name, String description, String base, int rank, String... tags) throws Exception {
    Metadata metadata = Metadata.of(description, "text-generation", "MIT").withTags(tags);
    assertThat(
            ann.publish(name + "@1.0.0", Samples.file(name.hashCode(), metadata, base, rank))
                .status())
        .isEqualTo(201);
  }

  /** The names of all that is found, page by page. */
  private static List<String> find(TestClient client, String query) throws Exception {
    List<String> names = new ArrayList<>();
    String cursor = null;
    do {
      Answer answer =
          client.get("/api/v1/adapters?" + query + (cursor == null ? "" : "&cursor=" + cursor));
      assertThat(answer.status()).as(query).isEqualTo(200);
      answer
          .json()
          .at("/items")
          .forEach(
              item ->
                  names.add(item.at("/namespace").asString() + "/" + item.at("/name").asString()));
      cursor = answer.json().at("/next").isNull() ? null : answer.text("/next");
    } while (cursor != null);
    return names;
  }

  private static List<String> find(String query) throws Exception {
    return find(registry.anonymous(), query);
  }

  @Test
  void wordsAreFoundInNameBaseTaskTagsAndDescription() throws Exception {
    assertThat(find("q=sql")).containsExactly("acme/sql");
    assertThat(find("q=llama")).containsExactlyInAnyOrder("acme/mood-llama", "acme/sql");
    assertThat(find("q=Llama-2-7b")).containsExactlyInAnyOrder("acme/mood-llama", "acme/sql");
    assertThat(find("q=meta-llama/Llama-2-7b-hf"))
        .containsExactlyInAnyOrder("acme/mood-llama", "acme/sql");
    assertThat(find("q=text-generation")).hasSize(4);
    assertThat(find("q=art")).containsExactly("other/poems");
    assertThat(find("q=database")).containsExactly("acme/sql"); // databases
    assertThat(find("q=zebra")).isEmpty();
  }

  @Test
  void wordInTheNameRanksAboveTheDescription() throws Exception {
    assertThat(find("q=mood")).hasSize(3).endsWith("other/poems");
  }

  @Test
  void phrasesAlternativesAndNegationsAreUnderstood() throws Exception {
    assertThat(find("q=mood%20-llama")).containsExactlyInAnyOrder("acme/mood-gpt", "other/poems");
    assertThat(find("q=sql%20or%20poems")).containsExactlyInAnyOrder("acme/sql", "other/poems");
    assertThat(find("q=%22queries%20for%20databases%22")).containsExactly("acme/sql");
    assertThat(find("q=%22databases%20for%20queries%22")).isEmpty();
    for (String odd : List.of("%22", "%27", "-", "or", "%26%7C!()", ":*", "the", "%5C")) {
      assertThat(registry.anonymous().get("/api/v1/adapters?q=" + odd).status())
          .as(odd)
          .isEqualTo(200);
    }
    assertThat(registry.anonymous().get("/api/v1/adapters?q=%00").refusal())
        .isEqualTo("400 unreadable");
  }

  @Test
  void filtersNarrow() throws Exception {
    assertThat(find("base=openai-community/gpt2"))
        .containsExactlyInAnyOrder("acme/mood-gpt", "other/poems");
    assertThat(find("rank=8")).containsExactlyInAnyOrder("acme/mood-gpt", "acme/sql");
    assertThat(find("rank=8&q=mood")).containsExactly("acme/mood-gpt");
    assertThat(find("bits=4")).hasSize(4);
    assertThat(find("bits=8")).isEmpty();
    assertThat(find("generator=philox-srht")).hasSize(4);
    assertThat(find("generator=philox-uniform8")).isEmpty();
    assertThat(find("tag=mood")).containsExactlyInAnyOrder("acme/mood-llama", "acme/mood-gpt");
    assertThat(find("tag=mood&tag=tweets")).containsExactly("acme/mood-gpt");
    assertThat(find("namespace=other")).containsExactly("other/poems");
    assertThat(find("verified=true")).isEmpty();
    assertThat(find("verified=false")).hasSize(4);
  }

  @Test
  void headersAreNotFilters() throws Exception {
    TestClient.Answer answer = registry.anonymous().get("/api/v1/adapters", "Bits", "8");

    assertThat(answer.json().at("/items")).hasSize(4);
  }

  @Test
  void privateAdaptersAreFoundByMembersOnly() throws Exception {
    assertThat(find("q=sentiment")).isEmpty();
    assertThat(find(ann, "q=sentiment")).containsExactly("other/secret");
    assertThat(find(registry.admin(), "q=sentiment")).containsExactly("other/secret");
    assertThat(find(registry.admin().account("bob", "publish"), "q=sentiment")).isEmpty();
    assertThat(find(registry.admin().account("machine", "worker"), "q=sentiment"))
        .containsExactly("other/secret");
    TestClient elsewhere =
        registry
            .admin()
            .token(
                Map.of("account", "ann", "scopes", List.of("read"), "namespaces", List.of("acme")));
    assertThat(find(elsewhere, "q=sentiment")).isEmpty();
  }

  @Test
  void pagesOfEverySortCoverAllOnceInOrder() throws Exception {
    assertThat(find("sort=name&limit=1"))
        .containsExactly("acme/mood-gpt", "acme/mood-llama", "acme/sql", "other/poems");
    assertThat(find("sort=updated&limit=1"))
        .containsExactly("other/poems", "acme/sql", "acme/mood-gpt", "acme/mood-llama");
    registry.database().execute("update listing set downloads = 7 where name = 'sql'");
    assertThat(find("sort=downloads&limit=1")).hasSize(4).startsWith("acme/sql");
    assertThat(find("q=mood&limit=1")).isEqualTo(find("q=mood")).hasSize(3);
    assertThat(find("limit=1")).isEqualTo(find("sort=updated"));
  }

  @Test
  void badParametersAreRefusedByName() throws Exception {
    TestClient client = registry.anonymous();
    assertThat(client.get("/api/v1/adapters?sort=size").text("/detail"))
        .startsWith("invalid sort: size; must");
    assertThat(client.get("/api/v1/adapters?sort=relevance").refusal()).isEqualTo("422 invalid");
    assertThat(client.get("/api/v1/adapters?limit=-1").text("/detail"))
        .startsWith("invalid limit: -1; must");
    assertThat(client.get("/api/v1/adapters?rank=many").status()).isEqualTo(400);
    assertThat(client.get("/api/v1/adapters?q=" + "x".repeat(501)).refusal())
        .isEqualTo("422 invalid");
    String cursor = client.get("/api/v1/adapters?sort=name&limit=1").text("/next");
    assertThat(client.get("/api/v1/adapters?sort=updated&cursor=" + cursor).refusal())
        .isEqualTo("422 invalid");
    assertThat(client.get("/api/v1/adapters?cursor=%22").refusal()).isEqualTo("422 invalid");
  }

  @Test
  void cursorStaysValidWhenTheListGrows() throws Exception {
    ann.put("/api/v1/namespaces/growing");
    for (String name : List.of("a", "c", "e")) {
      publish("growing/" + name, "", "base", 4);
    }
    Answer first = ann.get("/api/v1/adapters?namespace=growing&sort=name&limit=2");
    publish("growing/b", "", "base", 4);
    publish("growing/d", "", "base", 4);

    Answer second =
        ann.get(
            "/api/v1/adapters?namespace=growing&sort=name&limit=2&cursor=" + first.text("/next"));

    assertThat(second.text("/items/0/name")).isEqualTo("d");
    assertThat(second.text("/items/1/name")).isEqualTo("e");
    for (String name : List.of("a", "b", "c", "d", "e")) {
      registry.admin().delete("/api/v1/adapters/growing/" + name + "/versions/1.0.0");
    }
  }

  @Test
  void listingFollowsTheLatestVersion() throws Exception {
    ann.put("/api/v1/namespaces/moving");
    Metadata first = Metadata.of("about apples", "", "").withTags("apple");
    Metadata second = Metadata.of("about pears", "", "").withTags("pear");
    ann.publish("moving/fruit@1.0.0", Samples.file(1, first, "base", 4));
    ann.publish("moving/fruit@2.0.0", Samples.file(2, second, "base", 8));
    assertThat(find("q=pears")).containsExactly("moving/fruit");
    assertThat(find("q=apples")).isEmpty();

    ann.put("/api/v1/adapters/moving/fruit/versions/2.0.0/yank", Map.of("reason", "rotten"));
    assertThat(find("q=pears")).isEmpty();
    assertThat(find("tag=apple&rank=4")).containsExactly("moving/fruit");

    ann.put("/api/v1/adapters/moving/fruit/versions/1.0.0/yank", Map.of("reason", "rotten"));
    assertThat(find("namespace=moving")).isEmpty();

    ann.delete("/api/v1/adapters/moving/fruit/versions/2.0.0/yank");
    ann.patch("/api/v1/adapters/moving/fruit", Map.of("description", "about plums"));
    assertThat(find("q=plums")).containsExactly("moving/fruit");
    assertThat(Collections.frequency(find("sort=name"), "moving/fruit")).isEqualTo(1);
    registry.admin().delete("/api/v1/adapters/moving/fruit/versions/2.0.0");
    assertThat(find("namespace=moving")).isEmpty();
  }
}
