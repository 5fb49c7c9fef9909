package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.SigningKey;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A worker's key that was approved, with which verifications can be taken. */
final class Verifications {
  private final String fingerprint;

  /** Registers a key for a worker, and approves it. */
  Verifications(TestClient worker) throws Exception {
    SigningKey key = SigningKey.generate();
    fingerprint = key.publicKey().fingerprint().toString();
    assertThat(
            worker
                .post("/api/v1/worker-keys", Map.of("publicKey", key.publicKey().toBase64()))
                .status())
        .isEqualTo(201);
    assertThat(
            worker
                .with(TestRegistry.ADMIN)
                .put("/api/v1/worker-keys/" + fingerprint + "/approval", Map.of())
                .status())
        .isEqualTo(200);
  }

  /** A request for verifications by all backends. */
  Map<String, Object> request(String worker) {
    Map<String, Object> request = new HashMap<>();
    request.put("worker", worker);
    request.put("key", fingerprint);
    request.put("types", List.of("verify"));
    request.put("backends", List.of("scalar", "vector", "torch"));
    request.put("cuda", false);
    request.put("memoryBytes", 0);
    request.put("models", List.of());
    request.put("max", 1);
    request.put("waitSeconds", 0);
    return request;
  }
}
