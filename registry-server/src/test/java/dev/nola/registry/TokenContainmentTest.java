package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a leaked token cannot do, and what ends with it. */
class TokenContainmentTest {
  private static final String TOKENS = "/api/v1/tokens";

  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();

  @Test
  void mintingNeedsAScopeOfItsOwn() throws Exception {
    for (String scope : List.of("read", "publish", "worker")) {
      assertThat(
              admin
                  .account("mint-" + scope, scope)
                  .post(TOKENS, Map.of("scopes", List.of("read")))
                  .refusal())
          .as(scope)
          .isEqualTo("403 forbidden");
    }
    TestClient minter = admin.account("minter", "publish", "mint");
    assertThat(minter.post(TOKENS, Map.of("scopes", List.of("publish", "mint"))).status())
        .isEqualTo(201);
    assertThat(minter.post(TOKENS, Map.of("scopes", List.of("admin"))).text("/detail"))
        .isEqualTo("scope not allowed: admin; a new token has at most the scopes of yours");
    TestClient only = admin.account("minter", "mint");
    assertThat(only.post(TOKENS, Map.of("scopes", List.of("publish"))).refusal())
        .isEqualTo("403 forbidden");
    assertThat(only.put("/api/v1/namespaces/" + TestClient.freshName()).refusal())
        .isEqualTo("403 forbidden");
  }

  @Test
  void childEndsNoLaterThanItsParent() throws Exception {
    Instant end = Instant.now().plusSeconds(60).truncatedTo(ChronoUnit.SECONDS);
    TestClient parent =
        admin.token(
            Map.of(
                "account",
                "mortal",
                "scopes",
                List.of("read", "mint"),
                "expiresAt",
                end.toString()));

    Answer unlimited = parent.post(TOKENS, Map.of("scopes", List.of("read")));
    Answer later =
        parent.post(
            TOKENS, Map.of("scopes", List.of("read"), "expiresAt", end.plusSeconds(1).toString()));
    Answer earlier =
        parent.post(
            TOKENS, Map.of("scopes", List.of("read"), "expiresAt", end.minusSeconds(1).toString()));

    assertThat(Instant.parse(unlimited.text("/token/expiresAt"))).isEqualTo(end);
    assertThat(unlimited.text("/token/parent"))
        .isEqualTo(parent.get(TOKENS + "/current").text("/id"));
    assertThat(later.refusal()).isEqualTo("422 invalid");
    assertThat(later.text("/detail")).contains("must be no later than " + end);
    assertThat(Instant.parse(earlier.text("/token/expiresAt"))).isEqualTo(end.minusSeconds(1));
  }

  @Test
  void descendantsAreRevokedWithTheirAncestor() throws Exception {
    TestClient parent = admin.account("ancestor", "read", "mint");
    TestClient child = parent.token(Map.of("scopes", List.of("read", "mint")));
    TestClient grandchild = child.token(Map.of("scopes", List.of("read", "mint")));
    TestClient unrelated = admin.account("ancestor", "read");
    assertThat(grandchild.get(TOKENS).status()).isEqualTo(200);

    assertThat(parent.delete(id(parent)).status()).isEqualTo(204);

    for (TestClient revoked : List.of(parent, child, grandchild)) {
      assertThat(revoked.get(TOKENS).refusal()).isEqualTo("401 unauthenticated");
    }
    assertThat(unrelated.get(TOKENS).status()).isEqualTo(200);
    assertThat(admin.get("/api/v1/audit?limit=1").text("/items/0/detail"))
        .isEqualTo("ancestor, 2 minted with it");
  }

  @Test
  void tokenRevokesItselfAndWhatWasMintedWithItOnly() throws Exception {
    String namespace = admin.namespace();
    Map<String, Object> limited =
        Map.of(
            "account",
            "revoker",
            "scopes",
            List.of("read", "mint"),
            "namespaces",
            List.of(namespace));
    TestClient other = admin.account("revoker", "publish");
    TestClient parent = admin.token(limited);
    TestClient child = parent.token(limited);
    TestClient grandchild = child.token(limited);
    TestClient narrowAdmin =
        admin.token(
            Map.of(
                "account",
                "revoker",
                "scopes",
                List.of("admin"),
                "namespaces",
                List.of(namespace)));
    TestClient worker = admin.account("revoker", "worker");

    for (TestClient client : List.of(child, narrowAdmin, worker, other)) {
      for (TestClient target : List.of(parent, child, narrowAdmin, worker, other)) {
        if (client != target) {
          Answer answer = client.delete(id(target));
          assertThat(answer.refusal()).isEqualTo("403 forbidden");
          assertThat(answer.text("/detail")).contains("yours may revoke itself");
        }
      }
    }
    assertThat(parent.delete(id(grandchild)).status()).isEqualTo(204);
    assertThat(grandchild.get(TOKENS).refusal()).isEqualTo("401 unauthenticated");
    for (TestClient client : List.of(child, narrowAdmin, worker)) {
      assertThat(client.delete(id(client)).status()).isEqualTo(204);
    }
    assertThat(parent.get(TOKENS).status()).isEqualTo(200);
    assertThat(admin.account("revoker", "mint").delete(id(parent)).status()).isEqualTo(204);
    assertThat(admin.account("revoker", "admin").delete(id(other)).status()).isEqualTo(204);
  }

  @Test
  void adminReplacesATokenAndKeepsWhatItIssued() throws Exception {
    TestClient old = admin.account("old-admin", "admin");
    TestClient user = old.account("kept-user", "read", "mint");
    TestClient narrow =
        admin.token(
            Map.of(
                "account",
                "old-admin",
                "scopes",
                List.of("admin"),
                "namespaces",
                List.of("somewhere")));
    String keeping = id(old) + "?keepChildren=true";
    assertThat(narrow.delete(keeping).refusal()).isEqualTo("403 forbidden");
    assertThat(user.delete(id(user) + "?keepChildren=true").refusal()).isEqualTo("403 forbidden");

    assertThat(admin.delete(keeping).status()).isEqualTo(204);

    assertThat(old.get(TOKENS).refusal()).isEqualTo("401 unauthenticated");
    assertThat(user.get(TOKENS).status()).isEqualTo(200);
  }

  @Test
  void limitsCountTheAccountWhateverItsTokens() throws Exception {
    try (TestRegistry slow = TestRegistry.start("nola.access.requests-per-minute=20")) {
      TestClient mallory = slow.admin().account("mallory", "read", "mint");
      int refused = 0;
      for (int i = 0; i < 30; i++) {
        Answer minted = mallory.post(TOKENS, Map.of("scopes", List.of("read")));
        Answer used =
            minted.status() == 201
                ? slow.anonymous().with(minted.text("/secret")).get(TOKENS + "/current")
                : minted;
        refused += used.status() == 429 ? 1 : 0;
      }
      assertThat(refused).isGreaterThan(15);
    }
  }

  @Test
  void namespacesOfAnAccountAreLimited() throws Exception {
    try (TestRegistry small = TestRegistry.start("nola.access.namespaces-per-account=2")) {
      TestClient ann = small.admin().account("ann", "publish");
      String first = ann.namespace();
      ann.namespace();

      Answer third = ann.put("/api/v1/namespaces/" + TestClient.freshName());

      assertThat(third.refusal()).isEqualTo("409 too-many-namespaces");
      assertThat(third.text("/detail"))
          .isEqualTo("too many namespaces: account ann owns 2; the limit is 2");
      assertThat(ann.put("/api/v1/namespaces/" + first).status()).isEqualTo(200);
      for (int i = 0; i < 3; i++) {
        small.admin().namespace();
      }
      assertThat(small.database().count("select count(*) from namespace")).isEqualTo(5);
    }
  }

  @Test
  void reservedNamesAreRefused() throws Exception {
    for (String name : List.of("admin", "api", "nola", "hf", "registry")) {
      assertThat(admin.put("/api/v1/namespaces/" + name).refusal())
          .as(name)
          .isEqualTo("422 invalid");
    }
    for (String name : List.of("anonymous", "registry", "hf")) {
      Answer answer = admin.post(TOKENS, Map.of("account", name, "scopes", List.of("read")));
      assertThat(answer.refusal()).as(name).isEqualTo("422 invalid");
      assertThat(answer.text("/detail"))
          .isEqualTo("reserved account: " + name + "; choose another name");
    }
    assertThat(admin.post(TOKENS, Map.of("scopes", List.of("read"))).status())
        .as("the account admin mints for itself")
        .isEqualTo(201);
  }

  private static String id(TestClient client) throws Exception {
    return TOKENS + "/" + client.get(TOKENS + "/current").text("/id");
  }
}
