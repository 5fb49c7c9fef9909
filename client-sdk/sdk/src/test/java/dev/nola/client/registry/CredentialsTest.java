package dev.nola.client.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CredentialsTest {
  private static final URI REGISTRY = URI.create("https://registry.example");
  private static final int SAVES = 50;

  @TempDir private Path folder = Path.of("");

  private Path file() {
    return folder.resolve("config/nola/credentials.json");
  }

  private Credentials credentials() {
    return Credentials.at(file());
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void tokenIsKeptByRegistry() throws Exception {
    assertThat(credentials().token(REGISTRY)).isNull();
    assertThat(credentials().remove(REGISTRY)).isFalse();
    assertThat(file()).doesNotExist();

    credentials().save(REGISTRY, "nola_a");
    credentials().save(URI.create("http://127.0.0.1:8080"), "nola_b");
    credentials().save(REGISTRY, "nola_c");

    assertThat(credentials().token(URI.create("HTTPS://Registry.example:443/")))
        .isEqualTo("nola_c");
    assertThat(credentials().token(URI.create("http://127.0.0.1:8080/"))).isEqualTo("nola_b");
    assertThat(credentials().token(URI.create("http://127.0.0.1:8081"))).isNull();
    assertThat(credentials().remove(REGISTRY)).isTrue();
    assertThat(credentials().remove(REGISTRY)).isFalse();
    assertThat(credentials().token(REGISTRY)).isNull();
    assertThat(credentials().token(URI.create("http://127.0.0.1:8080"))).isEqualTo("nola_b");
  }

  @Test
  void onlyTheOwnerCanReadIt() throws Exception {
    credentials().save(REGISTRY, "nola_a");
    assertThat(permissions(file())).isEqualTo("rw-------");
    assertThat(permissions(file().getParent())).isEqualTo("rwx------");

    credentials().save(REGISTRY, "nola_b");

    assertThat(permissions(file())).isEqualTo("rw-------");
    try (Stream<Path> left = Files.list(file().getParent())) {
      assertThat(left.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("credentials.json", ".credentials.json.lock");
    }
  }

  @Test
  void noFileInItsFolderEverHadATokenThatOthersCouldRead() throws Exception {
    credentials().save(REGISTRY, "nola_a");
    List<String> open = new ArrayList<>();
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    for (int i = 0; i < SAVES; i++) {
                      credentials().save(REGISTRY, "nola_" + i);
                    }
                  } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                  }
                });
    while (writer.isAlive()) {
      try (Stream<Path> files = Files.list(file().getParent())) {
        for (Path path : files.filter(each -> !each.toString().endsWith(".lock")).toList()) {
          try {
            if (!permissions(path).equals("rw-------")) {
              open.add(path + " " + permissions(path));
            }
          } catch (IOException _) {
            continue; // renamed meanwhile
          }
        }
      }
    }
    writer.join();
    assertThat(open).isEmpty();
    assertThat(credentials().token(REGISTRY)).isEqualTo("nola_" + (SAVES - 1));
  }

  @Test
  void fileThatOthersCanReadIsRefused() throws Exception {
    credentials().save(REGISTRY, "nola_a");
    for (String open : List.of("rw-r-----", "rw----r--", "rw--w----")) {
      Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString(open));
      assertThatIOException()
          .as(open)
          .isThrownBy(() -> credentials().token(REGISTRY))
          .withMessage(
              "%s contains tokens, but other users can read or change it; to fix this, run: chmod 600 %s",
              file(), file());
      assertThatIOException().isThrownBy(() -> credentials().save(REGISTRY, "nola_b"));
    }
    Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-------"));
    assertThat(credentials().token(REGISTRY)).isEqualTo("nola_a");
  }

  @Test
  void fileThatIsNoneIsRefusedWithoutQuotingIt() throws Exception {
    credentials().save(REGISTRY, "nola_a");
    for (String garbage : List.of("nola_secret", "[]", "", "{\"registries\": []}", "{\"a\"")) {
      Files.writeString(file(), garbage);
      assertThatIOException()
          .as(garbage)
          .isThrownBy(() -> credentials().token(REGISTRY))
          .withMessage("%s is not a credentials file; remove it and log in again", file())
          .withNoCause();
      assertThatIOException().isThrownBy(() -> credentials().save(REGISTRY, "nola_b"));
      assertThat(file()).hasContent(garbage); // what is not understood is not overwritten
    }
    Files.writeString(file(), "{\"registries\": {\"https://registry.example\": {\"token\": 7}}}");
    assertThat(credentials().token(REGISTRY)).isNull();
  }

  @Test
  void whatLaterVersionsKeepThereStays() throws Exception {
    credentials().save(REGISTRY, "nola_a");
    Files.writeString(file(), "{\"later\": 1, \"registries\": {}}");

    credentials().save(REGISTRY, "nola_b");

    assertThat(Files.readString(file())).contains("\"later\" : 1").contains("nola_b");
  }

  @Test
  void processesThatWriteAtOnceLoseNothing() throws Exception {
    List<Process> writers = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      writers.add(
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  System.getProperty("java.class.path"),
                  CredentialsTest.class.getName(),
                  file().toString(),
                  name)
              .redirectErrorStream(true)
              .start());
    }
    for (Process writer : writers) {
      String output = new String(writer.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(writer.waitFor()).as(output).isZero();
    }
    for (String name : List.of("a", "b")) {
      for (int i = 0; i < SAVES; i++) {
        assertThat(credentials().token(URI.create("https://" + name + i + ".example")))
            .isEqualTo("nola_" + name + i);
      }
    }
  }

  /** A process that saves many tokens: file, name. */
  public static void main(String[] args) throws Exception {
    for (int i = 0; i < SAVES; i++) {
      Credentials.at(Path.of(args[0]))
          .save(URI.create("https://" + args[1] + i + ".example"), "nola_" + args[1] + i);
    }
  }
}
