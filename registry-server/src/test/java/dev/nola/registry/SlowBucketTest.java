package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.FaultyProxy;
import dev.nola.registry.blobs.S3Server;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** A bucket that takes long for each write: no connection to the database waits for it. */
class SlowBucketTest {
  private static final int CONNECTIONS = 3;
  private static final int UPLOADS = CONNECTIONS + 3;

  @Test
  void uploadsThatWaitForTheBucketHoldNoConnection() throws Exception {
    try (FaultyProxy proxy = new FaultyProxy(S3Server.shared().endpoint());
        TestRegistry registry = start(proxy);
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      TestClient admin = registry.admin();
      String namespace = admin.namespace();
      proxy.plan(FaultyProxy.Fault.HELD, "PUT .*sha256/", Integer.MAX_VALUE);
      List<Future<TestClient.Answer>> uploads = new ArrayList<>();
      try {
        for (int i = 0; i < UPLOADS; i++) {
          uploads.add(clients.submit(upload(admin, namespace, i)));
        }
        Await.until(() -> writes(proxy) == UPLOADS);

        assertThat(admin.get("/api/v1/namespaces/" + namespace).status()).isEqualTo(200);
        assertThat(admin.get("/api/v1/adapters?namespace=" + namespace).json().at("/items"))
            .as("nothing is published before its blob is in the bucket")
            .isEmpty();
      } finally {
        proxy.recover();
      }
      for (Future<TestClient.Answer> upload : uploads) {
        assertThat(upload.get().status()).isEqualTo(201);
      }
    }
  }

  private static TestRegistry start(FaultyProxy proxy) throws Exception {
    return TestRegistry.start(
        "nola.blobs.s3.bucket=" + S3Server.shared().bucket(),
        "nola.blobs.s3.endpoint=" + proxy.endpoint(),
        "nola.blobs.s3.path-style=true",
        "nola.database.pool-size=" + CONNECTIONS);
  }

  /** Publishes a version or a file of a dataset. */
  private static Callable<TestClient.Answer> upload(TestClient admin, String namespace, int i) {
    if (i % 2 == 0) {
      return () -> admin.publish(namespace + "/mood-" + i + "@1.0.0", Samples.file(8800 + i));
    }
    byte[] bytes = ("file " + i).getBytes(StandardCharsets.UTF_8);
    return () ->
        admin.send(
            "PUT",
            "/api/v1/datasets/%s/slow/files/%s".formatted(namespace, Sha256.hash(bytes)),
            BodyPublishers.ofByteArray(bytes),
            "Content-Type",
            "application/octet-stream");
  }

  /** The number of blobs of which a write has reached the bucket; a client may repeat one. */
  private static long writes(FaultyProxy proxy) {
    return proxy.requests("PUT .*sha256/").stream()
        .map(request -> request.replaceFirst(".*sha256/([0-9a-f]{64}).*", "$1"))
        .distinct()
        .count();
  }
}
