import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Proof;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.Statement;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * The Java half of test_attestation.py: attests files as workers do, and prints attestations and
 * keys in the registry's JSON. Each of two keys says that the first file matches; the first key
 * also attests the second file, under the nonce of the first.
 *
 * <p>Usage: {@code java -cp nola-cli.jar WriteAttestations.java FILE OTHER_FILE}
 */
final class WriteAttestations {
  private WriteAttestations() {}

  public static void main(String[] arguments) throws Exception {
    AdapterFile file = AdapterFile.read(Path.of(arguments[0]));
    AdapterFile other = AdapterFile.read(Path.of(arguments[1]));
    List<Map<String, Object>> attestations = new ArrayList<>();
    Map<String, Object> keys = new LinkedHashMap<>();
    for (String host : List.of("one", "two")) {
      SigningKey key = SigningKey.generate();
      Nonce nonce = Nonce.random();
      keys.put(
          key.publicKey().fingerprint().toString(),
          Map.of("publicKey", key.publicKey().toBase64(), "state", "approved"));
      attestations.add(attestation(key, statement(file, nonce, host)));
      if (host.equals("one")) {
        attestations.add(attestation(key, statement(other, nonce, host)));
      }
    }
    System.out.println(
        JsonMapper.shared().writeValueAsString(Map.of("attestations", attestations, "keys", keys)));
  }

  private static Statement statement(AdapterFile file, Nonce nonce, String host) throws Exception {
    Proof proof = Proof.of(file, Reconstructor.standard().open(file.adapter()), nonce);
    return new Statement(
        Sha256.hash(file.toBytes()),
        new Reconstruction(
            Outcome.MATCH,
            "vector",
            proof.digest().root(),
            proof.leaves(),
            nonce,
            proof.proof(),
            null,
            "worker",
            Sha256.hash(host.getBytes(StandardCharsets.UTF_8)),
            Map.of("os", "Linux")));
  }

  private static Map<String, Object> attestation(SigningKey key, Statement statement) {
    return Map.of(
        "id", 1,
        "key", key.publicKey().fingerprint().toString(),
        "envelope", key.sign(statement));
  }
}
