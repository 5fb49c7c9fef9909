package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

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
  void onlyAdminsSeeTheirPages() throws Exception {
    TestClient reader = REGISTRY.admin().account("admin-pages-reader", "read", "publish");
    PageClient page = PageClient.of(REGISTRY, reader.token());
    for (String path : new String[] {"/admin", "/admin/keys", "/admin/audit"}) {
      assertThat(page.get(path).statusCode()).as(path).isEqualTo(403);
      assertThat(new PageClient(REGISTRY).get(path).statusCode()).as(path).isEqualTo(302);
      assertThat(admin().get(path).statusCode()).as(path).isEqualTo(200);
    }
  }
}
