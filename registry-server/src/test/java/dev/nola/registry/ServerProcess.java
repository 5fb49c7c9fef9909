package dev.nola.registry;

import dev.nola.registry.blobs.S3Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A server in a process of its own, to be killed; with the PostgreSQL that it brings along, unless
 * the environment names another.
 */
final class ServerProcess implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(120);

  private final Process process;
  private final int port;
  private final Path log;

  private ServerProcess(Process process, int port, Path log) {
    this.process = process;
    this.port = port;
    this.log = log;
  }

  /** Starts a server on a data directory, and waits until it is ready. */
  static ServerProcess start(Path data, Path log) throws IOException, InterruptedException {
    return start(data, log, Map.of());
  }

  static ServerProcess start(Path data, Path log, Map<String, String> environment)
      throws IOException, InterruptedException {
    ServerProcess server = launch(data, log, environment);
    server.awaitReady();
    return server;
  }

  /** Waits until the server answers, with its database. */
  void awaitReady() throws IOException, InterruptedException {
    long end = System.nanoTime() + START.toNanos();
    while (!isReady()) {
      if (!process.isAlive() || System.nanoTime() > end) {
        process.destroyForcibly();
        throw new AssertionError("the server is not ready: " + Files.readString(log));
      }
      Thread.sleep(50);
    }
  }

  static ServerProcess launch(Path data, Path log, Map<String, String> environment)
      throws IOException {
    return launch(List.of(), data, log, environment);
  }

  /** Launches a server through a command that runs another, such as {@code nice}. */
  static ServerProcess launch(
      List<String> prefix, Path data, Path log, Map<String, String> environment)
      throws IOException {
    return launch(freePort(), prefix, data, log, environment);
  }

  /** Launches a server on a port, such as that of one which has ended. */
  static ServerProcess launch(
      int port, List<String> prefix, Path data, Path log, Map<String, String> environment)
      throws IOException {
    List<String> program = new ArrayList<>(prefix);
    program.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    program.addAll(List.of("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    program.addAll(List.of("-cp", System.getProperty("java.class.path")));
    program.add(RegistryMain.class.getName());
    return run(program, port, data, log, environment);
  }

  /** Launches the server of a release, whose archive was unpacked into a folder. */
  static ServerProcess launchRelease(
      Path release, int port, Path data, Path log, Map<String, String> environment)
      throws IOException {
    List<String> program =
        List.of(
            release.resolve("runtime/bin/java").toString(),
            "-Xmx512m",
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules",
            "jdk.incubator.vector",
            "-jar",
            release.resolve("programs/nola-registry-server.jar").toString());
    return run(program, port, data, log, environment);
  }

  private static ServerProcess run(
      List<String> program, int port, Path data, Path log, Map<String, String> environment)
      throws IOException {
    List<String> command = new ArrayList<>(program);
    command.add("serve");
    command.addAll(List.of("--port", Integer.toString(port), "--data", data.toString()));
    command.addAll(List.of("--set", "nola.access.requests-per-minute=1000000"));
    command.addAll(List.of("--log-format", "json"));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(environment);
    builder.environment().put("NOLA_ADMIN_TOKEN", TestRegistry.ADMIN);
    return new ServerProcess(builder.start(), port, log);
  }

  /** Returns the variables of servers that share a database, and a bucket of their own. */
  static Map<String, String> sharing(TestDatabase database) {
    S3Server s3 = S3Server.shared();
    return Map.of(
        "NOLA_DATABASE_URL", database.url(),
        "NOLA_DATABASE_USERNAME", database.username(),
        "NOLA_BLOBS_S3_BUCKET", s3.bucket(),
        "NOLA_BLOBS_S3_ENDPOINT", s3.endpoint().toString(),
        "NOLA_BLOBS_S3_PATHSTYLE", "true",
        "AWS_ACCESS_KEY_ID", System.getProperty("aws.accessKeyId"),
        "AWS_SECRET_ACCESS_KEY", System.getProperty("aws.secretAccessKey"),
        "NOLA_ACCESS_ANONYMOUSREQUESTSPERMINUTE", "1000000");
  }

  int port() {
    return port;
  }

  TestClient admin() {
    return new TestClient("http://127.0.0.1:" + port, TestRegistry.ADMIN);
  }

  Path log() {
    return log;
  }

  /** SIGKILL: it has no time for anything. Its PostgreSQL goes on. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** SIGKILL to its PostgreSQL as well, as when the machine loses power. */
  void killWithDatabase(Path data) throws IOException, InterruptedException {
    ProcessHandle handle = database(data);
    handle.destroyForcibly();
    kill();
    handle.onExit().join();
  }

  /** SIGKILL to its PostgreSQL only. */
  void killDatabase(Path data) throws IOException {
    ProcessHandle handle = database(data);
    handle.destroyForcibly();
    handle.onExit().join();
  }

  private static ProcessHandle database(Path data) throws IOException {
    long postmaster =
        Long.parseLong(
            Files.readAllLines(data.resolve("postgres/cluster/postmaster.pid")).getFirst());
    return ProcessHandle.of(postmaster).orElseThrow();
  }

  /** The exit code, once it has ended by itself. */
  int waitFor() {
    return process.onExit().orTimeout(START.toSeconds(), TimeUnit.SECONDS).join().exitValue();
  }

  /** SIGTERM, and waits for the end. */
  @Override
  public void close() {
    process.destroy();
    waitFor();
  }

  private boolean isReady() throws InterruptedException {
    try {
      return admin().get("/actuator/health/readiness").status() == 200;
    } catch (IOException _) {
      return false; // not listening yet
    }
  }

  /** A port of this machine that nothing listens on. */
  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
