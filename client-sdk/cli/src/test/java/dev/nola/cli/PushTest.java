package dev.nola.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.Statement;
import dev.nola.api.json.NolaModule;
import dev.nola.command.ExitCode;
import dev.nola.digest.Sha256;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is refused before anything is sent; interop/oci pushes to a registry. */
class PushTest {
  private static final Sha256 OTHER = Sha256.hash("other".getBytes(StandardCharsets.US_ASCII));

  @TempDir private Path folder;

  private Nola push(byte[] attestation) throws Exception {
    Path base = BaseModel.write(folder.resolve("base"));
    Path adapter = folder.resolve("mood.nola");
    Path file = Files.write(folder.resolve("one.dsse.json"), attestation);
    Nola made =
        Nola.run(
            "synth", "--base", base.toString(), "--targets", "q_proj", "-o", adapter.toString());
    assertThat(made.exitCode()).isEqualTo(ExitCode.OK);
    return Nola.run(
        "push", adapter.toString(), "oci://127.0.0.1:1/mood", "--attestation", file.toString());
  }

  @Test
  void attestationAboutAnotherFile_isRefused() throws Exception {
    Statement statement =
        new Statement(
            OTHER,
            new Reconstruction(
                Outcome.MATCH,
                "scalar",
                OTHER,
                List.of(OTHER),
                new Nonce("5a".repeat(32)),
                OTHER,
                null,
                "worker",
                OTHER,
                Map.of("os", "Linux")));

    Nola refused =
        push(NolaModule.mapper().writeValueAsBytes(SigningKey.generate().sign(statement)));

    assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(refused.err())
        .contains("one.dsse.json; wrong subject: " + OTHER + "; must be the adapter, sha256:");
  }

  @Test
  void fileThatIsNoAttestation_isRefused() throws Exception {
    Nola refused = push("{".getBytes(StandardCharsets.US_ASCII));

    assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(refused.err()).contains("one.dsse.json; must be a DSSE envelope in JSON");
  }
}
