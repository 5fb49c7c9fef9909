package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests several simultaneous starts of the launcher script, in a checkout whose Maven and JDK are
 * stand-ins that only take time and record their calls.
 */
class LauncherTest {
  private static final String MAVEN =
      """
      #!/bin/sh
      echo mvn >> "$CALLS"
      sleep 1
      mkdir -p client-sdk/cli/target registry-server/target
      echo jar > client-sdk/cli/target/nola-cli.jar
      echo jar > registry-server/target/nola-registry-server-exec.jar
      """;
  private static final String JAVA =
      """
      #!/bin/sh
      for word in "$@"; do
        case "$word" in
          -XX:AOTCacheOutput=*) echo train >> "$CALLS"; sleep 1; echo cache > "${word#*=}"; exit ;;
          -Djarmode=tools)
            echo unpack >> "$CALLS"; mkdir -p "$6"; echo jar > "$6/nola-registry-server-exec.jar"; exit ;;
          jdk.incubator.vector) echo "WARNING: Using incubator modules: jdk.incubator.vector" >&2; echo other >&2 ;;
        esac
      done
      echo "charset $(locale charmap)" >> "$CALLS"
      echo "ran $*" >> "$CALLS"
      """;

  private final List<Process> started = new ArrayList<>();

  @TempDir private Path folder = Path.of("");
  private Path checkout = folder;
  private Path calls = folder;

  @BeforeEach
  void createCheckout() throws IOException {
    checkout = folder.resolve("checkout");
    calls = folder.resolve("calls");
    executable(checkout.resolve("nola"), Files.readString(Path.of("../nola")));
    write(checkout.resolve("pom.xml"), "<project/>");
    for (String module : List.of("client-sdk/cli", "registry-server")) {
      String name = module.substring(module.indexOf('/') + 1);
      write(checkout.resolve(module + "/pom.xml"), "<finalName>nola-" + name + "</finalName>");
    }
    executable(folder.resolve("bin/mvn"), MAVEN);
    executable(folder.resolve("jdk/bin/java"), JAVA);
    executable(folder.resolve("jdk/bin/javac"), JAVA);
    write(folder.resolve("jdk/release"), "JAVA_VERSION=\"25.0.1\"\n");
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static void executable(Path file, String text) throws IOException {
    write(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @AfterEach
  void endProcesses() {
    started.forEach(Process::destroy); // a failed test's
  }

  private Process start(String... command) throws IOException {
    return start(builder(command));
  }

  private Process start(ProcessBuilder builder) throws IOException {
    Process process = builder.start();
    started.add(process);
    return process;
  }

  private ProcessBuilder builder(String... command) {
    List<String> words = new ArrayList<>();
    words.add(checkout.resolve("nola").toString());
    words.addAll(List.of(command));
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().put("CALLS", calls.toString());
    builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
    builder
        .environment()
        .merge("PATH", folder.resolve("bin").toString(), (old, bin) -> bin + ":" + old);
    return builder;
  }

  private static String end(Process process) throws IOException, InterruptedException {
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }

  private long count(String call) throws IOException {
    try (var lines = Files.lines(calls)) {
      return lines.filter(line -> line.startsWith(call)).count();
    }
  }

  private void startsAtOnce(String... command) throws Exception {
    List<Process> several = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      several.add(start(command));
    }
    StringBuilder output = new StringBuilder();
    for (Process process : several) {
      output.append(end(process));
    }
    assertThat(count("mvn")).isEqualTo(1);
    assertThat(count("train")).isEqualTo(1);
    assertThat(count("ran")).isEqualTo(4);
    assertThat(output.toString()).containsOnlyOnce("building").containsOnlyOnce("preparing");
  }

  @Test
  void onlyOneOfSeveralStartsBuildsAndPrepares() throws Exception {
    startsAtOnce("inspect", "x.nola");
    assertThat(end(start("inspect", "x.nola"))).isEmpty();
    assertThat(Files.readString(calls)).endsWith(".jar inspect x.nola\n").contains("-XX:AOTCache=");
  }

  @Test
  void onlyOneOfSeveralServersUnpacks() throws Exception {
    startsAtOnce("serve");
    assertThat(count("unpack")).isEqualTo(1);
  }

  @Test
  void locksOfDeadProcessesAreIgnored() throws Exception {
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    String owner = dead.pid() + " client-sdk/cli";
    Path building = checkout.resolve("target/nola.lock");
    Path preparing = checkout.resolve("client-sdk/cli/target/plain.aot.lock");
    for (Path lock : List.of(building, preparing)) {
      Files.createDirectories(lock.getParent());
      Files.createSymbolicLink(lock, Path.of(owner));
    }

    startsAtOnce("inspect", "x.nola");

    for (Path lock : List.of(building, preparing)) {
      assertThat(Files.isSymbolicLink(lock)).isFalse();
    }
  }

  @Test
  void sourceFromTheFuture_isBuiltOnceAndAgainWhenItChanges() throws Exception {
    Path source = checkout.resolve("client-sdk/cli/src/main/java/Main.java");
    write(source, "class Main {}");
    FileTime future = FileTime.from(Instant.now().plus(Duration.ofHours(2)));
    Files.setLastModifiedTime(source, future);

    end(start("inspect", "x.nola"));
    end(start("inspect", "x.nola"));
    assertThat(count("mvn")).isEqualTo(1);

    write(source, "class Main { }");
    Files.setLastModifiedTime(source, future);
    end(start("inspect", "x.nola"));
    end(start("inspect", "x.nola"));
    assertThat(count("mvn")).isEqualTo(2);
  }

  @Test
  void sourceThatChangesDuringTheBuild_isBuiltAgain() throws Exception {
    Path source = checkout.resolve("client-sdk/cli/src/main/java/Main.java");
    executable(
        folder.resolve("bin/mvn"),
        MAVEN
            + "sleep 0.1; [ -f "
            + source
            + " ] || { mkdir -p "
            + source.getParent()
            + "; touch "
            + source
            + "; }\n");

    end(start("inspect", "x.nola"));
    end(start("inspect", "x.nola"));
    assertThat(count("mvn")).isEqualTo(2);
  }

  @Test
  void warningAboutTheVectorModuleIsHidden() throws Exception {
    end(start("verify", "x.nola"));

    assertThat(end(start("verify", "x.nola"))).isEqualTo("other\n");
  }

  @Test
  void helpOfAListOfWorkersIsInTheProgramThatHasTheList() throws Exception {
    end(start("help", "worker", "list"));
    assertThat(calls).content().contains("nola-cli.jar help worker list\n");
  }

  @Test
  void helpOfACommandIsInTheProgramThatHasIt() throws Exception {
    end(start("help", "serve"));

    assertThat(Files.readString(calls))
        .contains("server/nola-registry-server.jar help serve\n")
        .doesNotContain("nola-cli.jar");
  }

  @Test
  void releaseRunsWithItsOwnJavaAndBuildsNothing() throws Exception {
    Path release = folder.resolve("nola-1.0.0");
    executable(release.resolve("bin/nola"), Files.readString(Path.of("../nola")));
    executable(release.resolve("runtime/bin/java"), JAVA);
    write(release.resolve("programs/nola-cli.jar"), "jar");
    checkout = release.resolve("bin");

    end(start("inspect", "x.nola"));
    ProcessBuilder builder = builder("verify", "x.nola");
    builder.environment().remove("JAVA_HOME");
    assertThat(end(start(builder))).endsWith("other\n");
    assertThat(count("mvn")).isZero();
    assertThat(release.resolve("cache/plain.aot")).exists();
    assertThat(release.resolve("cache/vector.aot")).exists();

    Process process = start("demo");
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isEqualTo(2);
    assertThat(output).contains("demo is not part of this archive");
  }

  @Test
  void completionDoesNotBuild() throws Exception {
    ProcessBuilder builder = builder("inspect", "--help");
    builder.environment().put("NOLA_NO_BUILD", "1");
    Process process = start(builder);

    assertThat(process.waitFor()).isEqualTo(70);
    assertThat(Files.exists(calls)).isFalse();
  }

  @Test
  void charactersAreThoseOfUtf8InEveryLocale() throws Exception {
    for (String locale : List.of("C", "en_US.ISO-8859-1", "xx_YY.UTF-8", "C.UTF-8")) {
      ProcessBuilder builder = builder("inspect", "x.nola");
      builder.environment().put("LC_ALL", locale);
      end(start(builder));
    }
    assertThat(count("charset ")).isEqualTo(4);
    assertThat(count("charset UTF-8")).isEqualTo(4);
  }

  @Test
  void failedBuildReleasesItsLock() throws Exception {
    executable(folder.resolve("bin/mvn"), "#!/bin/sh\necho broken\nexit 1\n");
    Process process = start("inspect", "x.nola");
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isEqualTo(70);
    assertThat(output).contains("broken").contains("the build of client-sdk/cli failed");
    assertThat(Files.isSymbolicLink(checkout.resolve("target/nola.lock"))).isFalse();
  }
}
