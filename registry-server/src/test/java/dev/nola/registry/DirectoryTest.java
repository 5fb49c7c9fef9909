package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Lists of namespaces, accounts and tokens, and the deletion of namespaces. */
class DirectoryTest {
  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();

  /** All items of a list, read in pages of two. */
  private static List<JsonNode> all(TestClient client, String path) throws Exception {
    List<JsonNode> items = new ArrayList<>();
    String cursor = "";
    do {
      String query = (path.contains("?") ? "&" : "?") + "limit=2" + cursor;
      JsonNode page = client.get(path + query).json();
      page.at("/items").forEach(items::add);
      cursor = page.at("/next").asString("");
      cursor = cursor.isEmpty() ? "" : "&cursor=" + cursor;
    } while (!cursor.isEmpty());
    return items;
  }

  private static List<String> texts(List<JsonNode> items, String field) {
    return items.stream().map(item -> item.at("/" + field).asString()).toList();
  }

  @Test
  void accountListsItsNamespaces_andAnAdminAll() throws Exception {
    TestClient ann = admin.account(TestClient.freshName(), "publish", "mint");
    TestClient bob = admin.account(TestClient.freshName(), "publish");
    List<String> names = List.of(ann.namespace(), ann.namespace(), ann.namespace());
    String foreign = bob.namespace();
    bob.put(
        "/api/v1/namespaces/"
            + foreign
            + "/members/"
            + ann.get("/api/v1/tokens/current").text("/account"),
        Map.of("role", "member"));

    List<JsonNode> listed = all(ann, "/api/v1/namespaces");

    assertThat(texts(listed, "name")).containsAll(names).contains(foreign).isSorted().hasSize(4);
    assertThat(listed)
        .filteredOn(item -> item.at("/name").asString().equals(foreign))
        .allSatisfy(item -> assertThat(item.at("/role").asString()).isEqualTo("member"));
    assertThat(texts(all(admin, "/api/v1/namespaces"), "name"))
        .containsAll(names)
        .contains(foreign);
    TestClient narrow =
        ann.token(Map.of("scopes", List.of("publish"), "namespaces", List.of(foreign)));
    assertThat(texts(all(narrow, "/api/v1/namespaces"), "name")).containsExactly(foreign);
    TestClient narrowAdmin =
        admin.token(
            Map.of("scopes", List.of("admin"), "namespaces", List.of(names.get(0), "absent")));
    assertThat(texts(all(narrowAdmin, "/api/v1/namespaces"), "name")).containsExactly(names.get(0));
  }

  @Test
  void emptyNamespace_isDeletedByItsOwner() throws Exception {
    TestClient ann = admin.account(TestClient.freshName(), "publish");
    TestClient bob = admin.account(TestClient.freshName(), "publish");
    String namespace = ann.namespace();
    String path = "/api/v1/namespaces/" + namespace;
    admin.account("member", "read");
    ann.put(path + "/members/member", Map.of("role", "member"));
    assertThat(bob.delete(path).refusal()).isEqualTo("403 forbidden");

    assertThat(ann.delete(path).status()).isEqualTo(204);

    assertThat(ann.get(path).refusal()).isEqualTo("404 not-found");
    assertThat(ann.delete(path).refusal()).isEqualTo("404 not-found");
    JsonNode entry = admin.get("/api/v1/audit").json().at("/items/0");
    assertThat(entry.at("/action").asString()).isEqualTo("namespace.delete");
    assertThat(entry.at("/subject").asString()).isEqualTo(namespace);
    assertThat(bob.put(path).status()).as("the name is free again").isEqualTo(201);
    assertThat(ann.get(path + "/members").refusal()).isEqualTo("403 forbidden");
  }

  @Test
  void namespaceThatEverHadSomething_isKept() throws Exception {
    TestClient ann = admin.account(TestClient.freshName(), "publish");
    String namespace = ann.namespace();
    String path = "/api/v1/namespaces/" + namespace;
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));
    TestObjects.putDataset(ann, namespace + "/data", Map.of("a.txt", "a"));
    admin.delete("/api/v1/adapters/" + namespace + "/mood/versions/1.0.0");

    assertThat(ann.delete(path).refusal()).isEqualTo("409 namespace-not-empty");
    assertThat(ann.delete(path).text("/detail"))
        .startsWith(
            "namespace %s cannot be deleted: it has or had adapters (1), models or datasets (1), "
                .formatted(namespace))
        .endsWith("; to take it out of use, yank its versions and remove its members");
    assertThat(ann.get(path + "/members").json()).hasSize(1);
  }

  @Test
  void adminListsAccountsWithTheirNamespaces() throws Exception {
    String name = TestClient.freshName();
    TestClient ann = admin.account(name, "publish");
    admin.account(name, "read");
    admin.account(name + "-friend", "read");
    String namespace = ann.namespace();
    ann.put(
        "/api/v1/namespaces/" + namespace + "/members/" + name + "-friend",
        Map.of("role", "member"));

    List<JsonNode> accounts = all(admin, "/api/v1/admin/accounts");

    assertThat(texts(accounts, "account"))
        .doesNotHaveDuplicates()
        .contains("admin", name + "-friend");
    JsonNode account =
        accounts.stream()
            .filter(item -> item.at("/account").asString().equals(name))
            .findFirst()
            .orElseThrow();
    assertThat(account.at("/tokens").asInt()).isEqualTo(2);
    assertThat(account.at("/namespaces/0").asString()).isEqualTo(namespace);
  }

  @Test
  void adminListsTheTokensOfAllAccounts() throws Exception {
    TestClient ann = admin.account(TestClient.freshName(), "publish");
    TestClient bob = admin.account(TestClient.freshName(), "read");
    String revoked = ann.get("/api/v1/tokens/current").text("/id");
    String valid = bob.get("/api/v1/tokens/current").text("/id");
    admin.delete("/api/v1/tokens/" + revoked);

    assertThat(texts(all(admin, "/api/v1/admin/tokens"), "id"))
        .doesNotHaveDuplicates()
        .contains(revoked, valid);
    assertThat(texts(all(admin, "/api/v1/admin/tokens?valid=true"), "id"))
        .doesNotContain(revoked)
        .contains(valid);
    assertThat(admin.get("/api/v1/admin/tokens?cursor=none").refusal()).isEqualTo("422 invalid");
  }
}
