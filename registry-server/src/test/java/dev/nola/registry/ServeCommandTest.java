package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.command.Console;
import dev.nola.command.ExitCode;
import dev.nola.registry.blobs.S3Server;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ServeCommandTest {
  @Test
  void commandLineErrorsAreNamed() {
    assertThat(failure("--prot", "8080"))
        .contains("unknown option: --prot", "see nola serve --help");
    assertThat(failure("--port", "http")).contains("--port", "'http' is not an int");
    assertThat(failure("--log-format", "xml"))
        .contains("invalid --log-format: xml; must be one of text, json");
    assertThat(failure("extra")).contains("unexpected argument: extra");
    for (String port : List.of("99999", "65536", "-1")) {
      assertThat(failure("--port", port))
          .contains("invalid --port: " + port + "; must be 0 to 65535");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nola.access.anonymous-read=flase | invalid nola.access.anonymous-read: flase; must be true"
            + " or false",
        "nola.jobs.lease=soon | invalid nola.jobs.lease: soon; must be a duration such as 30s",
        "nola.jobs.max-attempts=few | invalid nola.jobs.max-attempts: few; must be an integer",
        "nola.catalog.max-file-size=big | invalid nola.catalog.max-file-size: big; must be a size"
            + " such as 64MB",
        "nola.access.trusted-proxies=foo.example | invalid nola.access.trusted-proxies:"
            + " foo.example; must be IP addresses or CIDR ranges such as 10.0.0.0/8, separated by"
            + " commas",
        "nola.access.requests-per-minute=0 | invalid nola.access.requests-per-minute: 0; must be"
            + " positive"
      })
  void settingThatKeepsTheServerFromStartingIsNamed(
      String setting, String reason, @TempDir Path folder) throws Exception {
    assertThat(notStarted(folder, "--set", setting))
        .isEqualTo("the server cannot start: " + reason);
  }

  @Test
  void portInUseIsNamed(@TempDir Path folder) throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      assertThat(notStarted(folder, "--port", port))
          .isEqualTo(
              "the server cannot start: port in use: " + port + "; choose another with --port");
      assertThat(folder.resolve("data")).as("nothing was begun").doesNotExist();
    }
  }

  @Test
  void addressOfAnotherMachineIsNamed(@TempDir Path folder) throws Exception {
    assertThat(notStarted(folder, "--address", "192.0.2.1", "--port", "8080"))
        .startsWith("the server cannot start: cannot listen on 192.0.2.1, port 8080: ")
        .endsWith(
            "Set --address to an address of this machine, and --port to a port that this user may"
                + " use.");
  }

  @Test
  void dataDirectoryThatCannotBeMadeIsNamedWithoutClasses(@TempDir Path folder) throws Exception {
    assertThat(notStarted(folder, "--data", "/dev/null/x"))
        .startsWith("the server cannot start: data directory cannot be used: /dev/null/x: ")
        .doesNotContain("Exception", "java.");
    Path file = Files.createFile(folder.resolve("file"));
    assertThat(notStarted(folder, "--data", file.toString()))
        .startsWith(
            "the server cannot start: data directory cannot be used: %s: %s is not a directory"
                .formatted(file, file));
  }

  /** The error that {@code --json} prints, of a server that has a database of its own. */
  private static String notStarted(Path folder, String... arguments) throws Exception {
    TestDatabase database = TestDatabase.create();
    List<String> all =
        new ArrayList<>(
            List.of("--json", "--log-format", "text", "--database-url", database.url()));
    all.addAll(List.of("--set", "nola.database.username=" + database.username()));
    all.addAll(List.of(arguments));
    if (!all.contains("--port")) {
      all.addAll(List.of("--port", "0"));
    }
    if (!all.contains("--data")) {
      all.addAll(List.of("--data", folder.resolve("data").toString()));
    }
    StringWriter out = new StringWriter();
    PrintStream stdout = System.out;
    try {
      assertThat(run(out, new StringWriter(), all.toArray(String[]::new)))
          .isEqualTo(ExitCode.REFUSED);
    } finally {
      System.setOut(stdout); // which --json makes the document's own
    }
    return JsonMapper.shared().readTree(out.toString()).path("error").asString();
  }

  private static JsonNode check(Path folder, int exitCode, String... arguments) throws Exception {
    TestDatabase database = TestDatabase.create();
    List<String> all = new ArrayList<>(List.of("--check", "--json", "--log-format", "text"));
    all.addAll(List.of("--database-url", database.url()));
    all.addAll(List.of("--set", "nola.database.username=" + database.username()));
    all.addAll(List.of(arguments));
    if (!all.contains("--port")) {
      all.addAll(List.of("--port", "0"));
    }
    if (!all.contains("--data")) {
      all.addAll(List.of("--data", folder.resolve("data").toString()));
    }
    StringWriter out = new StringWriter();
    PrintStream stdout = System.out;
    try {
      assertThat(run(out, new StringWriter(), all.toArray(String[]::new)))
          .as(out.toString())
          .isEqualTo(exitCode);
    } finally {
      System.setOut(stdout);
    }
    assertThat(folder.resolve("data")).as("--check creates nothing").doesNotExist();
    assertThat(
            database.count(
                "select count(*) from information_schema.tables where table_schema = 'public'"))
        .as("--check creates no tables")
        .isZero();
    return JsonMapper.shared().readTree(out.toString());
  }

  private static List<String> failed(JsonNode document) {
    return document
        .at("/checks")
        .valueStream()
        .filter(outcome -> !outcome.at("/ok").asBoolean())
        .map(outcome -> outcome.at("/check").asString() + ": " + outcome.at("/detail").asString())
        .toList();
  }

  @Test
  void check_findsThatTheServerCanStart(@TempDir Path folder) throws Exception {
    JsonNode document = check(folder, ExitCode.OK);
    assertThat(document.at("/ok").asBoolean()).isTrue();
    assertThat(document.at("/checks").valueStream().map(each -> each.at("/check").asString()))
        .containsExactlyInAnyOrder(
            "settings", "data directory", "blobs", "signing key", "database", "port");
  }

  @Test
  void check_usesTheBucketAndLeavesItEmpty(@TempDir Path folder) throws Exception {
    S3Server s3 = S3Server.shared();
    String bucket = s3.bucket();

    JsonNode document = check(folder, ExitCode.OK, bucketSettings(bucket, s3.endpoint()));

    assertThat(document.at("/checks").valueStream().map(each -> each.at("/detail").asString()))
        .contains("bucket %s of %s".formatted(bucket, s3.endpoint()));
    assertThat(s3.client().listObjectsV2(request -> request.bucket(bucket)).contents()).isEmpty();
  }

  @Test
  void check_namesTheBucketThatIsMissingOrUnreachable(@TempDir Path folder) throws Exception {
    URI endpoint = S3Server.shared().endpoint();
    assertThat(failed(check(folder, ExitCode.REFUSED, bucketSettings("nola-lost", endpoint))))
        .singleElement()
        .asString()
        .startsWith(
            "blobs: bucket nola-lost of " + endpoint + " cannot be used: cannot write: S3 answered")
        .contains("404 NoSuchBucket")
        .contains("Check that it exists, nola.blobs.s3.endpoint,");
    URI nobody = URI.create("http://127.0.0.1:9");
    assertThat(failed(check(folder, ExitCode.REFUSED, bucketSettings("nola", nobody))))
        .singleElement()
        .asString()
        .startsWith("blobs: bucket nola of " + nobody + " cannot be used: cannot write: ")
        .contains("Connection refused");
  }

  private static String[] bucketSettings(String bucket, URI endpoint) {
    return new String[] {
      "--set", "nola.blobs.s3.bucket=" + bucket,
      "--set", "nola.blobs.s3.endpoint=" + endpoint,
      "--set", "nola.blobs.s3.path-style=true"
    };
  }

  @Test
  void check_namesEverythingThatKeepsTheServerFromStarting(@TempDir Path folder) throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      List<String> failed =
          failed(
              check(
                  folder,
                  ExitCode.REFUSED,
                  "--port",
                  port,
                  "--data",
                  "/dev/null/x",
                  "--set",
                  "nola.database.username=nobody"));
      assertThat(failed).hasSize(3);
      assertThat(failed)
          .anySatisfy(line -> assertThat(line).startsWith("port: port in use: " + port))
          .anySatisfy(
              line ->
                  assertThat(line)
                      .startsWith("data directory: data directory cannot be used: /dev/null/x"))
          .anySatisfy(line -> assertThat(line).startsWith("database: cannot use the database: "));
    }
  }

  @Test
  void check_namesAKeyThatCannotSign(@TempDir Path folder, @TempDir Path damaged) throws Exception {
    assertThat(failed(check(folder, ExitCode.REFUSED, "--set", "nola.signing.key=garbage")))
        .singleElement()
        .asString()
        .startsWith(
            "settings: nola.signing.key: invalid signing key: no PEM block; must be a P-256 key");
    Path file = damaged.resolve("signing-key");
    Files.writeString(file, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assertThat(failed(check(folder, ExitCode.REFUSED, "--data", damaged.toString())))
        .singleElement()
        .asString()
        .startsWith("signing key: " + file + ": invalid signing key: not readable; must be")
        .contains("Restore the file from a backup");
  }

  @Test
  void check_namesAnInvalidSetting(@TempDir Path folder) throws Exception {
    assertThat(failed(check(folder, ExitCode.REFUSED, "--set", "nola.jobs.lease=soon")))
        .containsExactly("settings: invalid nola.jobs.lease: soon; must be a duration such as 30s");
    assertThat(failed(check(folder, ExitCode.REFUSED, "--set", "nola.jobs.laese=30s")))
        .singleElement()
        .asString()
        .startsWith("settings: unknown setting nola.jobs.laese");
  }

  @Test
  void help_showsAnExample() {
    StringWriter out = new StringWriter();
    assertThat(run(out, new StringWriter(), "--help")).isZero();
    assertThat(out.toString()).contains("nola serve --port 8080 --data ./nola-data");
  }

  @Test
  void usageErrorWithJson_isOneDocument() {
    StringWriter out = new StringWriter();
    assertThat(run(out, new StringWriter(), "--prot", "8080", "--json")).isEqualTo(2);
    JsonNode document = JsonMapper.shared().readTree(out.toString());
    assertThat(document.get("ok").asBoolean()).isFalse();
    assertThat(document.get("kind").asString()).isEqualTo("usage");
  }

  private static String failure(String... arguments) {
    StringWriter err = new StringWriter();
    assertThat(run(new StringWriter(), err, arguments)).isEqualTo(2);
    return err.toString();
  }

  private static int run(StringWriter out, StringWriter err, String... arguments) {
    Console console =
        new Console(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            InputStream.nullInputStream(),
            Map.of(),
            false);
    return new RegistryMain.Program(console)
        .execute(Stream.concat(Stream.of("serve"), Stream.of(arguments)).toArray(String[]::new));
  }
}
