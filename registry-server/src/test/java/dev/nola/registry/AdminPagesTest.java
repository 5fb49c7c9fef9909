package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.command.Output;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Pages of workers, of their keys and of the audit log. */
class AdminPagesTest {
  private static final TestRegistry REGISTRY = TestRegistry.shared();
  private static final String HOSTILE = "<script>alert(\"1\")</script>\u202e";

  private static PageClient admin() throws Exception {
    return PageClient.of(REGISTRY, REGISTRY.admin().token());
  }

  @Test
  void adminApprovesAndRevokesAKey_andTheAuditLogHasIt() throws Exception {
    TestWorker worker = TestWorker.registered(REGISTRY.admin());
    String path = "/admin/keys/" + worker.fingerprint();
    PageClient admin = admin();
    assertThat(admin.get("/admin/keys").body()).contains(worker.fingerprint());

    assertThat(admin.post(path + "/approve", Map.of()).statusCode()).isEqualTo(302);
    String key = "/api/v1/worker-keys/" + worker.fingerprint();
    assertThat(REGISTRY.admin().get(key).text("/state")).isEqualTo("approved");
    assertThat(admin.post(path + "/revoke", Map.of("reason", HOSTILE)).statusCode()).isEqualTo(302);

    assertThat(REGISTRY.admin().get(key).text("/state")).isEqualTo("revoked");
    String subject = "/admin/audit?subject=" + worker.fingerprint();
    assertThat(admin.get(subject).body())
        .contains("worker-key.approve", "worker-key.revoke", "&lt;script&gt;alert")
        .doesNotContain("<script>alert");
    assertThat(admin.get("/admin/keys").body()).doesNotContain("<script>alert");
    assertThat(admin.get(subject + "&action=worker-key.rev").body())
        .contains("worker-key.revoke")
        .doesNotContain("worker-key.approve");
    assertThat(admin.get(subject + "&account=nobody-at-all").body()).contains("Nothing found");
    assertThat(admin.get(subject + "&day=2001-01-01").body()).contains("Nothing found");
    assertThat(admin.get("/admin/audit?day=yesterday").statusCode()).isEqualTo(422);
  }

  @Test
  void workersOfThePageAreThoseThatAsked() throws Exception {
    TestWorker worker = TestWorker.registered(REGISTRY.admin());
    worker.leases(List.of("abacus")); // takes no verification of other tests
    assertThat(admin().get("/workers").body()).contains(worker.name(), "abacus", "pending");
  }

  @Test
  void adminFindsAccounts_andRevokesATokenWithItsChildren() throws Exception {
    TestClient holder = REGISTRY.admin().account("page-holder", "mint");
    String id = holder.get("/api/v1/tokens/current").text("/id");
    String child =
        holder
            .post("/api/v1/tokens", Map.of("scopes", List.of("mint"), "description", HOSTILE))
            .text("/token/id");
    PageClient admin = admin();
    assertThat(followed(admin, "/admin/accounts", "page-holder"))
        .contains("/admin/tokens?account=page-holder");
    String tokens = "/admin/tokens?account=page-holder";
    assertThat(admin.get(tokens).body())
        .contains(id, child, "&lt;script&gt;alert", "everywhere its account may")
        .doesNotContain("<script>alert", "this session");
    assertThat(admin.get("/admin/tokens?account=admin").body()).contains("this session");

    assertThat(admin.post("/admin/tokens/" + id + "/revoke", Map.of()).statusCode()).isEqualTo(302);

    assertThat(holder.get("/api/v1/tokens/current").status()).isEqualTo(401);
    assertThat(admin.get(tokens).body()).contains("Nothing found").doesNotContain(id, child);
    assertThat(admin.get(tokens + "&valid=false").body()).contains(id, child, "revoked just now");
    assertThat(admin.get("/admin/tokens?account=No+Name").statusCode()).isEqualTo(422);
  }

  /** Follows the pages of a list up to one that has a text. */
  private static String followed(PageClient page, String path, String text) throws Exception {
    String body = page.get(path).body();
    while (!body.contains(text)) {
      assertThat(body).as("no page has " + text).contains("rel=\"next\"");
      String next = body.replaceAll("(?s).*rel=\"next\" href=\"([^\"]+)\".*", "$1");
      body = page.get(next.replace("&amp;", "&")).body();
    }
    return body;
  }

  @Test
  void adminVerifiesAgain_andReadsTheReport() throws Exception {
    TestClient owner = REGISTRY.admin().account("page-verified", "publish");
    String namespace = owner.namespace();
    String adapter = namespace + "/mood";
    assertThat(owner.publish(adapter + "@1.0.0", Samples.file(91)).status()).isEqualTo(201);
    PageClient admin = admin();

    Map<String, String> form = Map.of("adapter", adapter, "backends", "cuda, torch");
    String report =
        admin.post("/admin/verifications", form).headers().firstValue("Location").orElseThrow();

    assertThat(admin.get(report).body()).contains(adapter, "cuda", "torch", "running", "every 5s");
    assertThat(admin.get("/admin/verifications").body()).contains(report, "adapter " + adapter);
    REGISTRY
        .database()
        .execute(
            "update job set state = 'CANCELLED', expires_at = null where namespace = '%s'"
                .formatted(namespace));
    assertThat(admin.get(report).body()).contains("finished").doesNotContain("every 5s");
    assertThat(
            admin.post("/admin/verifications", Map.of("adapter", adapter + "-absent")).statusCode())
        .isEqualTo(404);
    assertThat(admin.post("/admin/verifications", Map.of("generator", HOSTILE)).statusCode())
        .isEqualTo(422);
  }

  @Test
  void storageShowsUse_andWhatMaintenanceFound() throws Exception {
    TestClient owner = REGISTRY.admin().account("page-stored", "publish");
    String namespace = owner.namespace();
    byte[] file = Samples.file(92);
    assertThat(owner.publish(namespace + "/mood@1.0.0", file).status()).isEqualTo(201);
    TestObjects.putDataset(owner, namespace + "/data", Map.of("train.tsv", "a\tb"));
    PageClient admin = admin();

    assertThat(row(admin.get("/admin/storage").body(), namespace))
        .contains("<td class=\"number\">" + Output.bytes(file.length + 3) + "</td>");
    assertThat(admin.post("/admin/storage/scrub", Map.of()).body())
        .containsPattern("Read: [0-9,]+ blobs?; 0 damaged, 0 missing");
    assertThat(admin.post("/admin/storage/collect", Map.of()).body())
        .contains("Deleted: ", "blobs.scrub", "blobs.collect");
  }

  private static String row(String body, String namespace) {
    int at = body.indexOf("\">" + namespace + "</a></th>");
    assertThat(at).as(body).isPositive();
    return body.substring(at, body.indexOf("</tr>", at));
  }

  @Test
  void onlyAdminsSeeTheirPages() throws Exception {
    TestClient reader = REGISTRY.admin().account("admin-pages-reader", "read", "publish");
    PageClient page = PageClient.of(REGISTRY, reader.token());
    List<String> paths =
        List.of(
            "/admin",
            "/admin/keys",
            "/admin/audit",
            "/admin/accounts",
            "/admin/tokens",
            "/admin/verifications",
            "/admin/storage");
    for (String path : paths) {
      assertThat(page.get(path).statusCode()).as(path).isEqualTo(403);
      assertThat(new PageClient(REGISTRY).get(path).statusCode()).as(path).isEqualTo(302);
      assertThat(admin().get(path).statusCode()).as(path).isEqualTo(200);
    }
  }
}
