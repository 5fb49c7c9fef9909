package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Pages of jobs. */
class JobPagesTest extends JobTest {
  private static final String HOSTILE = "<script>alert(\"1\")</script>\u202e";

  private PageClient page(TestClient account) throws Exception {
    return PageClient.of(registry, account.token());
  }

  @Test
  void membersSeeJobsOfTheirNamespaces_andAdminsAll() throws Exception {
    String id = submit("1.0.0");
    TestClient bob = admin.account("bob-of-pages", "read");

    String reason = ann.get("/api/v1/jobs/" + id).text("/waiting/0/message");
    assertThat(reason).isNotEmpty();
    assertThat(page(ann).get("/jobs").body()).contains("/jobs/" + id, reason);
    assertThat(page(admin).get("/jobs").body()).contains("/jobs/" + id);
    assertThat(page(bob).get("/jobs").body()).doesNotContain(id).contains("nola job submit");
    assertThat(page(ann).get("/jobs/" + id).statusCode()).isEqualTo(200);
    assertThat(page(bob).get("/jobs/" + id).statusCode()).isEqualTo(404);
    assertThat(page(bob).get("/jobs/" + id + "/events").statusCode()).isEqualTo(404);
    assertThat(page(bob).get("/jobs/" + id + "/result").statusCode()).isEqualTo(404);
    assertThat(new PageClient(registry).get("/jobs/" + id).statusCode()).isEqualTo(302);
  }

  @Test
  void addressFiltersJobs() throws Exception {
    String id = submit("1.0.0");
    PageClient page = page(ann);
    String link = "/jobs/" + id;

    assertThat(page.get("/jobs?state=queued&type=train&namespace=" + namespace).body())
        .contains(link)
        .contains("every 3s");
    assertThat(page.get("/jobs?state=failed&namespace=" + namespace).body())
        .doesNotContain(link)
        .contains("Nothing found", "every 30s");
    assertThat(page.get("/jobs?type=verify&namespace=" + namespace).body()).doesNotContain(link);
    assertThat(page.get("/jobs?namespace=").body()).contains(link);
  }

  @Test
  void cursorLeadsToEarlierJobs() throws Exception {
    String first = submit("1.0.0");
    for (int i = 1; i <= 20; i++) {
      submit("1.0." + i);
    }
    PageClient page = page(ann);
    String latest = page.get("/jobs?namespace=" + namespace).body();
    assertThat(latest).doesNotContain(first);
    String next = latest.replaceAll("(?s).*rel=\"next\" href=\"([^\"]+)\".*", "$1");
    assertThat(page.get(next.replace("&amp;", "&")).body()).contains(first, "First page");
  }

  @Test
  void textsOfStrangersAreText() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w-of-pages").at("/fence").asLong();
    fail(id, fence, HOSTILE, false);

    for (String path : List.of("/jobs", "/jobs/" + id)) {
      assertThat(page(ann).get(path).body())
          .as(path)
          .contains("&lt;script&gt;alert(&quot;1&quot;)")
          .doesNotContain("<script>alert");
    }
  }

  @Test
  void memberCancelsAndRetries_andTheAuditLogHasIt() throws Exception {
    String id = submit("1.0.0");
    PageClient page = page(ann);
    assertThat(page.get("/jobs/" + id).body()).contains("/cancel\"").doesNotContain("/retry\"");

    assertThat(page.post("/jobs/" + id + "/cancel", Map.of()).statusCode()).isEqualTo(302);
    assertThat(page.get("/jobs/" + id).body())
        .contains("cancelled by ann", "/retry\"")
        .doesNotContain("/cancel\"");
    assertThat(page.post("/jobs/" + id + "/retry", Map.of()).statusCode()).isEqualTo(302);

    assertThat(ann.get(JOBS + "/" + id).text("/state")).isEqualTo("queued");
    assertThat(
            registry
                .database()
                .count(
                    "select count(*) from audit where account = 'ann' and subject = 'job %s' and action in ('job.cancel', 'job.retry')"
                        .formatted(id)))
        .isEqualTo(2);
  }

  @Test
  void tokenWithoutTheScopePublishChangesNothing() throws Exception {
    String id = submit("1.0.0");
    PageClient reader = page(admin.account("ann", "read"));

    assertThat(reader.get("/jobs/" + id).body()).doesNotContain("/cancel\"");
    assertThat(reader.post("/jobs/" + id + "/cancel", Map.of()).statusCode()).isEqualTo(403);
    assertThat(ann.get(JOBS + "/" + id).text("/state")).isEqualTo("queued");
  }

  @Test
  void sessionFollowsEventsUntilTheEnd() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w-of-pages").at("/fence").asLong();
    report(id, fence, List.of("begun"), List.of(), Map.of("done", 1, "total", 4, "loss", 0.5));
    PageClient page = page(ann);
    assertThat(page.get("/jobs/" + id).body())
        .contains("1 of 4, loss 0.5", "value=\"25\"", "w-of-pages", "data.train");
    put(id, "result", fence, Samples.file(1));

    assertThat(page.get("/jobs/" + id + "/events").body())
        .contains("event:log", "begun", "event:progress", "\"state\":\"succeeded\"");
    assertThat(page.get("/jobs/" + id).body())
        .contains("/" + namespace + "/mood/1.0.0\"")
        .doesNotContain("/cancel\"", "/result\"");
  }

  @Test
  void membersSeeTheTrainingThatMadeAVersion() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w-of-pages").at("/fence").asLong();
    List<Object> metrics = new ArrayList<>();
    for (int step = 1; step <= 998; step++) {
      metrics.add(Map.of("name", "loss", "step", step, "value", 2.0 / step));
    }
    metrics.add(Map.of("name", "validation loss", "step", 1_000, "value", 0.5));
    metrics.add(Map.of("name", "validation accuracy", "step", 1_000, "value", 0.75));
    assertThat(report(id, fence, List.of(), metrics, null).status()).isEqualTo(200);
    assertThat(put(id, "result", fence, Samples.file(1)).status()).isEqualTo(200);
    TestClient bob = admin.account("bob-of-pages", "read");
    ann.patch("/api/v1/adapters/" + namespace + "/mood", Map.of("visibility", "public"));
    String version = "/" + namespace + "/mood/1.0.0";

    String shown = page(ann).get(version).body();
    assertThat(shown)
        .contains("/jobs/" + id, ">1 to 1,000<", "loss: 0.002004 at the end")
        .contains("validation loss: 0.5000 at the end", "lowest 0.002004, highest 2")
        .doesNotContain("accuracy: ");
    assertThat(shown.split("<path ")[1].split("L")).hasSize(251);
    assertThat(page(bob).get(version).body()).contains(version).doesNotContain(id, "<path ");
  }

  @Test
  void absentJobIsNotFound() throws Exception {
    assertThat(page(admin).get("/jobs/" + UUID.randomUUID()).statusCode()).isEqualTo(404);
  }
}
