package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.CopiedAttestations;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.KeyApproval;
import dev.nola.api.attestation.KeyRevocation;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Proof;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.Statement;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A worker on a host of its own that attests without a job, as for another registry. */
record Attester(SigningKey key, String host) {
  static Attester create() {
    return new Attester(SigningKey.generate(), Registry.freshName());
  }

  String fingerprint() {
    return key.publicKey().fingerprint().toString();
  }

  /** Attests truthfully that a file reconstructs to its bits. */
  Envelope attest(Path path) throws Exception {
    AdapterFile file = AdapterFile.read(path);
    Nonce nonce = Nonce.random();
    Proof proof = Proof.of(file, Reconstructor.standard().open(file.adapter()), nonce);
    return key.sign(
        new Statement(
            Sha256.hash(path),
            new Reconstruction(
                Outcome.MATCH,
                "scalar",
                proof.digest().root(),
                proof.leaves(),
                nonce,
                proof.proof(),
                null,
                host,
                Sha256.hash(host.getBytes(StandardCharsets.UTF_8)),
                Map.of("os", "Linux"))));
  }

  /** Attests a version in a registry, whose admin approves the key. */
  void attest(Registry registry, String reference, Path path) throws Exception {
    Envelope envelope = attest(path);
    send(registry, reference, envelope); // registers the key
    approve(registry);
    assertThat(send(registry, reference, envelope).at("/verdicts/0/accepted").asBoolean()).isTrue();
  }

  void approve(Registry registry) throws Exception {
    put(registry, "/approval", new KeyApproval(null));
  }

  void revoke(Registry registry, String reason) throws Exception {
    put(registry, "/revocation", new KeyRevocation(reason));
  }

  private void put(Registry registry, String path, Object body) throws Exception {
    send(registry, "PUT", "/api/v1/worker-keys/" + fingerprint() + path, body);
  }

  private JsonNode send(Registry registry, String reference, Envelope envelope) throws Exception {
    return send(
        registry,
        "POST",
        "/api/v1/adapters/" + reference.replace("@", "/versions/") + "/attestations",
        new CopiedAttestations(
            List.of(new CopiedAttestations.Copy(envelope, key.publicKey().toBase64()))));
  }

  private static JsonNode send(Registry registry, String method, String path, Object body)
      throws Exception {
    HttpResponse<String> answer =
        registry.send(
            method, path, "application/json", JsonMapper.shared().writeValueAsBytes(body));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return JsonMapper.shared().readTree(answer.body());
  }
}
