package dev.nola.registry;

import static dev.nola.registry.TestWorker.changed;
import static dev.nola.registry.TestWorker.verdict;
import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.Reconstruction;
import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import dev.nola.registry.TestWorker.Task;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What becomes of a version that workers attest other bits of. */
class DisputeTest {
  private static long seed = 7_000;

  /** A registry and a version in it. */
  private abstract static class Published {
    final byte[] file = Samples.file(++seed);
    final byte[] other = Samples.file(++seed);
    String namespace = "";
    String adapter = "";
    String path = "";

    abstract TestRegistry registry();

    TestClient admin() {
      return registry().admin();
    }

    @BeforeEach
    void publish() throws Exception {
      registry().database().execute("update job set state = 'CANCELLED', expires_at = null");
      namespace = admin().namespace();
      adapter = "/api/v1/adapters/" + namespace + "/mood/versions";
      path = adapter + "/1.0.0";
      assertThat(admin().publish(namespace + "/mood@0.9.0", Samples.file(++seed)).status())
          .isEqualTo(201);
      registry().database().execute("update job set state = 'CANCELLED', expires_at = null");
      assertThat(admin().publish(namespace + "/mood@1.0.0", file).status()).isEqualTo(201);
    }

    String state() throws Exception {
      JsonNode version = admin().get(path).json();
      return version.at("/verification").asString()
          + (version.at("/disputed").asBoolean() ? ", disputed" : "");
    }

    Answer attestOtherBits(TestWorker worker, Task task) throws Exception {
      return worker.report(task, worker.sign(task, worker.mismatch(task, file, other)));
    }

    double metric(String name) throws Exception {
      String all = new String(admin().get("/actuator/prometheus").bytes(), StandardCharsets.UTF_8);
      Matcher line = Pattern.compile("(?m)^" + Pattern.quote(name) + " (\\S+)$").matcher(all);
      return line.find() ? Double.parseDouble(line.group(1)) : -1;
    }

    List<String> audit(String action) throws Exception {
      List<String> subjects = new ArrayList<>();
      for (JsonNode entry : admin().get("/api/v1/audit?limit=100").json().at("/items")) {
        if (entry.at("/action").asString().equals(action)) {
          subjects.add(entry.at("/subject").asString());
        }
      }
      return subjects;
    }
  }

  @Nested
  class WithinTheBudget extends Published {
    private static TestRegistry registry = TestRegistry.shared();

    @BeforeAll
    static void start() throws Exception {
      registry = TestRegistry.start();
    }

    @AfterAll
    static void stop() {
      registry.close();
    }

    @Override
    TestRegistry registry() {
      return registry;
    }

    @Test
    void singleMismatch_disputesAndDemotesNothing() throws Exception {
      TestWorker liar = TestWorker.approved(admin());
      double disputes = metric("nola_versions_disputes_total");
      double open = metric("nola_versions_disputed");

      Task task = liar.leaseOne("vector");
      assertThat(verdict(attestOtherBits(liar, task))).isEqualTo("accepted");

      assertThat(state()).isEqualTo("self-verified, disputed");
      assertThat(admin().get(path).json().at("/attestations/mismatches").asInt()).isEqualTo(1);
      assertThat(admin().get(adapter + "/latest").text("/version")).isEqualTo("1.0.0");
      assertThat(admin().get(adapter + "/%5E1/file").header("Nola-Disputed")).isEqualTo("true");
      assertThat(admin().get(adapter + "/0.9.0/file").header("Nola-Disputed")).isNull();
      assertThat(admin().get(adapter).json().at("/items/0/disputed").asBoolean()).isTrue();
      JsonNode found = admin().get("/api/v1/adapters?namespace=" + namespace).json();
      assertThat(found.at("/items/0/latest").asString()).isEqualTo("1.0.0");
      assertThat(found.at("/items/0/disputed").asBoolean()).isTrue();
      assertThat(metric("nola_versions_disputes_total")).isEqualTo(disputes + 1);
      assertThat(metric("nola_versions_disputed")).isEqualTo(open + 1);
      assertThat(metric("nola_versions_mismatched_total")).isZero();
      assertThat(audit("version.dispute")).contains(namespace + "/mood@1.0.0");
      assertThat(admin().get("/api/v1/jobs/" + task.job()).text("/result/outcome"))
          .isEqualTo("mismatch");
    }

    @Test
    void manyMismatches_withinTheBudget_demoteNothing() throws Exception {
      TestWorker honest = TestWorker.approved(admin());
      honest.attest(honest.leaseOne("scalar"), file);
      for (String backend : List.of("vector", "torch")) {
        TestWorker liar = TestWorker.approved(admin());
        attestOtherBits(liar, liar.leaseOne(backend));
      }

      assertThat(state()).isEqualTo("verified, disputed");
      assertThat(admin().get(adapter + "/latest").text("/version")).isEqualTo("1.0.0");
    }

    @Test
    void disputedVersion_isVerifiedAgainByAnotherKey() throws Exception {
      TestWorker broken = TestWorker.approved(admin());
      attestOtherBits(broken, broken.leaseOne("vector"));

      assertThat(broken.lease(List.of("vector"))).isEmpty();
      TestWorker other = TestWorker.approved(admin());
      assertThat(verdict(other.attest(other.leaseOne("vector"), file))).isEqualTo("accepted");
      assertThat(state()).isEqualTo("verified, disputed");
    }

    @Test
    void disputeEndsWithTheKey() throws Exception {
      TestWorker broken = TestWorker.approved(admin());
      attestOtherBits(broken, broken.leaseOne("vector"));

      broken.revoke(admin());

      assertThat(state()).isEqualTo("self-verified");
      assertThat(admin().get(adapter + "/%5E1/file").header("Nola-Disputed")).isNull();
      assertThat(audit("version.dispute-end")).contains(namespace + "/mood@1.0.0");
      assertThat(admin().get(path + "/attestations").json().at("/items/0/counts").asBoolean())
          .isFalse();
    }

    @Test
    void sameFileUnderAnotherNumber_isDisputedToo() throws Exception {
      TestWorker broken = TestWorker.approved(admin());
      attestOtherBits(broken, broken.leaseOne("vector"));

      admin().publish(namespace + "/mood@2.0.0", file);

      assertThat(admin().get(adapter + "/2.0.0").json().at("/disputed").asBoolean()).isTrue();
    }
  }

  @Nested
  class AboveTheBudget extends Published {
    private static TestRegistry registry = TestRegistry.shared();

    @BeforeAll
    static void start() throws Exception {
      registry =
          TestRegistry.start("nola.verification.additions=10", "nola.verification.backends=scalar");
    }

    @AfterAll
    static void stop() {
      registry.close();
    }

    @Override
    TestRegistry registry() {
      return registry;
    }

    @Test
    void mismatch_isADisputeUntilAnotherMachineConfirmsIt() throws Exception {
      TestWorker one = TestWorker.approved(admin());
      TestWorker two = TestWorker.approved(admin());
      String hooks = "/api/v1/namespaces/" + namespace + "/webhooks";
      String hook = admin().post(hooks, Map.of("url", "https://127.0.0.1:1/")).text("/webhook/id");
      attestOtherBits(one, one.leaseOne("scalar"));
      assertThat(state()).isEqualTo("unverified, disputed");
      assertThat(admin().get(adapter + "/latest").text("/version")).isEqualTo("1.0.0");

      Task second =
          two.lease(List.of("scalar")).stream().findFirst().orElseThrow(); // the pair's other half
      attestOtherBits(two, second);

      assertThat(state()).isEqualTo("mismatched");
      assertThat(admin().get(adapter + "/latest").text("/version")).isEqualTo("0.9.0");
      assertThat(audit("version.mismatch")).contains(namespace + "/mood@1.0.0");
      assertThat(admin().get(hooks + "/" + hook + "/deliveries").json().at("/items"))
          .extracting(delivery -> delivery.at("/event").asString())
          .containsExactly("version.mismatched", "version.disputed");
      one.revoke(admin());
      assertThat(state()).isEqualTo("unverified, disputed");
      assertThat(admin().get(adapter + "/latest").text("/version")).isEqualTo("1.0.0");
    }

    @Test
    void sameHostOrOtherBits_confirmNothing() throws Exception {
      TestWorker one = TestWorker.approved(admin());
      attestOtherBits(one, one.leaseOne("scalar"));
      TestWorker twin = TestWorker.approved(admin()).on(one.host());

      List<Task> tasks = twin.lease(List.of("scalar"));
      attestOtherBits(twin, tasks.getFirst());
      assertThat(state()).isEqualTo("unverified, disputed");

      TestWorker differing = TestWorker.approved(admin());
      for (Task task : differing.lease(List.of("scalar"))) {
        Reconstruction wrong = differing.mismatch(task, file, Samples.file(++seed));
        differing.report(task, differing.sign(task, wrong));
      }
      assertThat(state()).isEqualTo("unverified, disputed");
    }

    @Test
    void mismatch_isHiddenWhileAnotherWorkerCouldCopyIt() throws Exception {
      TestWorker one = TestWorker.approved(admin());
      attestOtherBits(one, one.leaseOne("scalar"));

      assertThat(admin().get(path + "/attestations").json().at("/items")).isEmpty();
      TestWorker two = TestWorker.approved(admin());
      Task task = two.lease(List.of("scalar")).getFirst();
      two.report(
          task,
          two.sign(
              task,
              changed(
                  two.mismatch(task, file, other), null, null, null, Sha256.hash(new byte[] {1}))));
      assertThat(state()).isEqualTo("unverified, disputed");
      assertThat(admin().get(path + "/attestations").json().at("/items")).hasSize(2);
    }

    @Test
    void matches_outweighAsManyConfirmedMismatches() throws Exception {
      for (int i = 0; i < 2; i++) {
        TestWorker honest = TestWorker.approved(admin());
        honest.attest(honest.leaseOne("scalar"), file);
      }
      admin().post("/api/v1/verifications", Map.of("backends", List.of("scalar")));
      for (int i = 0; i < 2; i++) {
        TestWorker liar = TestWorker.approved(admin());
        for (Task task : liar.lease(List.of("scalar"))) {
          if (task.digest().equals(Sha256.hash(file).toString())) {
            attestOtherBits(liar, task);
          }
        }
      }

      assertThat(state()).isEqualTo("verified, disputed");
    }
  }
}
