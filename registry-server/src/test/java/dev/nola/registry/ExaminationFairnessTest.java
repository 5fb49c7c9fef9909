package dev.nola.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** An account whose files take long to reconstruct delays itself, and nobody else. */
class ExaminationFairnessTest {
  private static final int FILES = 12;

  private static Adapter slowAdapter(Metadata metadata) {
    int[] codes = new int[1_024];
    Arrays.fill(codes, 1);
    return Adapter.builder()
        .generator(Generator.UNIFORM8)
        .seed(1)
        .base(new BaseModel("base", "main", null))
        .metadata(metadata)
        .layer(
            Layer.ofMatrix(
                "w",
                1 << 16,
                1,
                0,
                0x1p-10f,
                new Coefficients.LowRank(1, Codes.of(1, codes), Codes.of(1, 1))))
        .build();
  }

  /** Files that take a part of a second to reconstruct; other bytes, the same reconstruction. */
  private static List<byte[]> slowFiles(int count) throws Exception {
    AdapterFile sealed = AdapterFile.read(Samples.seal(slowAdapter(Samples.METADATA)));
    List<byte[]> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Metadata metadata = Metadata.of("Slow file " + i, "text-classification", "Apache-2.0");
      files.add(new AdapterFile(slowAdapter(metadata), sealed.reconstructionDigest()).toBytes());
    }
    return files;
  }

  @Test
  void slowFilesOfOneAccount_delayAnotherByOneTurnOnly() throws Exception {
    List<byte[]> slow = slowFiles(FILES);
    try (TestRegistry registry =
            TestRegistry.start("nola.verification.parallel=1", "nola.verification.max-wait=10m");
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      TestClient ann = publisher(registry);
      TestClient bob = publisher(registry);
      String annsNamespace = ann.namespace();
      String bobsNamespace = bob.namespace();
      AtomicInteger done = new AtomicInteger();
      CountDownLatch first = new CountDownLatch(1);
      List<Future<TestClient.Answer>> answers = new ArrayList<>();
      for (int i = 0; i < FILES; i++) {
        String version = annsNamespace + "/slow@1.0." + i;
        byte[] file = slow.get(i);
        answers.add(
            executor.submit(
                () -> {
                  TestClient.Answer answer = ann.publish(version, file);
                  done.incrementAndGet();
                  first.countDown();
                  return answer;
                }));
      }
      first.await();

      TestClient.Answer other = bob.publish(bobsNamespace + "/quick@1.0.0", Samples.file(90_001));

      assertThat(done.get()).isLessThan(FILES / 2);
      assertThat(other.status()).isEqualTo(201);
      assertThat(other.text("/verification")).isEqualTo("self-verified");
      for (Future<TestClient.Answer> answer : answers) {
        assertThat(answer.get().status()).isEqualTo(201);
      }
    }
  }

  @Test
  void fileBeyondItsAccountsTime_isLeftToWorkers() throws Exception {
    try (TestRegistry registry =
        TestRegistry.start(
            "nola.verification.time-per-account=1ms", "nola.verification.backends=scalar")) {
      TestClient ann = publisher(registry);
      TestClient bob = publisher(registry);
      String namespace = ann.namespace();
      byte[] slow = slowFiles(1).getFirst();
      byte[] file = Samples.file(90_002);

      assertThat(ann.publish(namespace + "/a@1.0.0", slow).text("/verification"))
          .isEqualTo("self-verified");
      assertThat(ann.publish(namespace + "/a@1.1.0", file).text("/verification"))
          .isEqualTo("unverified");
      assertThat(ann.publish(namespace + "/a@1.2.0", Samples.withWrongDigest(3)).status())
          .isEqualTo(201);
      assertThat(ann.publish(namespace + "/a@1.3.0", Arrays.copyOf(file, 99)).refusal())
          .isEqualTo("422 damaged-adapter");
      assertThat(
              bob.publish(bob.namespace() + "/b@1.0.0", Samples.file(90_003)).text("/verification"))
          .isEqualTo("self-verified");
      assertThat(new String(registry.admin().get("/actuator/prometheus").bytes(), UTF_8))
          .contains("nola_reconstructions_left_total{reason=\"time\"} 3.0");
    }
  }

  @Test
  void fileThatWouldWaitTooLong_isLeftToWorkers() throws Exception {
    List<byte[]> slow = slowFiles(4);
    try (TestRegistry registry =
            TestRegistry.start("nola.verification.parallel=1", "nola.verification.max-wait=0s");
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      TestClient ann = publisher(registry);
      String namespace = ann.namespace();
      List<Future<TestClient.Answer>> answers = new ArrayList<>();
      for (int i = 0; i < slow.size(); i++) {
        String version = namespace + "/slow@1.0." + i;
        byte[] file = slow.get(i);
        answers.add(executor.submit(() -> ann.publish(version, file)));
      }
      List<String> states = new ArrayList<>();
      for (Future<TestClient.Answer> answer : answers) {
        states.add(answer.get().text("/verification"));
      }

      assertThat(states).contains("self-verified", "unverified");
    }
  }

  private static TestClient publisher(TestRegistry registry) throws Exception {
    return registry.admin().account(TestClient.freshName(), "publish");
  }
}
