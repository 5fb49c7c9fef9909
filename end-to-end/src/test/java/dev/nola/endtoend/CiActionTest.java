package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

/** Runs the script of ci-action/action.yml the way GitHub would. */
class CiActionTest {
  private static final Path ACTION = Path.of("../ci-action/action.yml");

  @TempDir private Path folder = Path.of("");
  private Path lock = Path.of("");

  @BeforeEach
  void lock() throws Exception {
    Path adapters = Files.createDirectory(folder.resolve("a $(touch broken) \"b"));
    Path adapter = Samples.small(adapters, 1);
    lock = adapters.resolve("nola.lock");
    Nola nola = new Nola(Registry.shared(), folder);
    assertThat(nola.run("lock", adapter.toString(), "-o", lock.toString()).exitCode()).isZero();
  }

  private static List<Map<String, Object>> steps() throws IOException {
    Map<String, Map<String, List<Map<String, Object>>>> action =
        new Yaml().load(Files.readString(ACTION));
    return action.get("runs").get("steps");
  }

  private int run() throws Exception {
    String script = null;
    for (Map<String, Object> step : steps()) {
      script = step.containsKey("run") ? step.get("run").toString() : script;
    }
    Path launcher =
        Files.writeString(
            folder.resolve("nola"),
            "#!/bin/sh\nexec '%s' -cp '%s' dev.nola.cli.Main \"$@\"\n"
                .formatted(
                    Path.of(System.getProperty("java.home"), "bin", "java"),
                    System.getProperty("java.class.path")));
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwx------"));
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-e", "-o", "pipefail", "-c", script)
            .directory(folder.toFile())
            .redirectErrorStream(true);
    builder
        .environment()
        .putAll(
            Map.of(
                "NOLA", launcher.toString(),
                "NOLA_TOKEN", "",
                "LOCK", lock.toString(),
                "JUNIT", folder.resolve("report.xml").toString(),
                "GITHUB_STEP_SUMMARY", folder.resolve("summary.md").toString()));
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(output).contains("sample-1.nola");
    return process.waitFor();
  }

  @Test
  void lockedAdapterIsVerifiedWhateverItsPath() throws Exception {
    assertThat(run()).isZero();
    assertThat(folder.resolve("summary.md")).content().contains("| verified |");
    assertThat(folder.resolve("report.xml")).content().contains("failures=\"0\"");
    assertThat(folder.resolve("broken")).doesNotExist();
  }

  @Test
  void changedAdapterFailsTheJob() throws Exception {
    Path adapter = lock.resolveSibling("sample-1.nola");
    Files.delete(adapter);
    Files.move(Samples.small(folder, 2), adapter);
    assertThat(run()).isNotZero();
    assertThat(folder.resolve("summary.md")).content().contains("**failed**");
  }

  @Test
  void releaseIsUnpackedOnlyIfItHasTheDigest() throws Exception {
    Path releases = Files.createDirectories(folder.resolve("releases/v1.0.0"));
    Path program = folder.resolve("nola-1.0.0/bin/nola");
    Files.createDirectories(program.getParent());
    Files.writeString(program, "program");
    Path archive = releases.resolve("nola-1.0.0-linux-x64.tar.gz");
    Process tar =
        new ProcessBuilder("tar", "-czf", archive.toString(), "-C", folder.toString(), "nola-1.0.0")
            .start();
    assertThat(tar.waitFor()).isZero();

    assertThat(download("1.0.0", "0".repeat(64))).isNotZero();
    assertThat(download("../1.0.0", Sha256.hash(archive).hex())).isEqualTo(2);
    assertThat(download("1.0.0", "")).isEqualTo(2);
    assertThat(folder.resolve("nola-release")).doesNotExist();

    assertThat(download("1.0.0", Sha256.hash(archive).hex())).isZero();
    assertThat(folder.resolve("nola-release/bin/nola")).hasContent("program");
  }

  private int download(String version, String digest) throws Exception {
    String script =
        steps().stream()
            .filter(step -> String.valueOf(step.get("run")).contains("curl"))
            .map(step -> step.get("run").toString())
            .findFirst()
            .orElseThrow();
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-e", "-o", "pipefail", "-c", script).inheritIO();
    builder
        .environment()
        .putAll(
            Map.of(
                "RELEASES",
                folder.resolve("releases").toUri().toString(),
                "VERSION",
                version,
                "SHA256",
                digest,
                "FOLDER",
                folder.toString()));
    return builder.start().waitFor();
  }

  @Test
  void noInputIsInterpolatedIntoAScript() throws Exception {
    for (Map<String, Object> step : steps()) {
      assertThat(String.valueOf(step.get("run"))).doesNotContain("${{");
    }
  }
}
