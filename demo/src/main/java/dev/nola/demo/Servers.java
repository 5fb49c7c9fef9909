package dev.nola.demo;

import dev.nola.threads.Uninterruptibles;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The processes of the demo, each with its output in a file; they end with it. */
final class Servers implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(180);
  private static final int STOP_SECONDS = 20;
  private static final int LOG_LINES = 15;

  private final Path checkout;
  private final Path folder;
  private final List<Named> processes = new ArrayList<>();

  /** A process and where its output goes. */
  private record Named(String name, Process process, Path log) {}

  /**
   * @param folder where their data and logs are
   */
  Servers(Path checkout, Path folder) {
    this.checkout = checkout;
    this.folder = folder;
  }

  /** Starts a registry and waits until it is ready. */
  URI registry() throws IOException, InterruptedException {
    int port = freePort();
    URI url = URI.create("http://127.0.0.1:" + port);
    Named registry =
        start(
            "registry",
            "serve",
            "--port",
            Integer.toString(port),
            "--data",
            folder.resolve("registry").toString(),
            // Both workers verify every version on every backend.
            "--set",
            "nola.verification.copies=2");
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest ready = HttpRequest.newBuilder(url.resolve("/actuator/health/readiness")).build();
      long deadline = System.nanoTime() + START.toNanos();
      while (!answers(http, ready)) {
        requireAlive(registry);
        if (System.nanoTime() > deadline) {
          throw new IOException(
              "the registry is not ready after %d seconds; see %s"
                  .formatted(START.toSeconds(), registry.log));
        }
        Thread.sleep(100);
      }
    }
    return url;
  }

  private static boolean answers(HttpClient http, HttpRequest ready) throws InterruptedException {
    try {
      return http.send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException _) {
      return false; // it does not listen yet
    }
  }

  /** Starts a worker; its key is in {@code NAME/key.pem} when it has registered it. */
  void worker(String name, URI registry, Path token, Path models) throws IOException {
    Path work = Files.createDirectories(folder.resolve(name));
    start(
        name,
        "worker",
        "--registry",
        registry.toString(),
        "--token-file",
        token.toString(),
        "--models",
        models.toString(),
        "--slots",
        "1",
        "--name",
        name,
        "--key",
        work.resolve("key.pem").toString(),
        "--work",
        work.resolve("work").toString());
  }

  private Named start(String name, String... command) throws IOException {
    List<String> line = new ArrayList<>(List.of(checkout.resolve("nola").toString()));
    line.addAll(List.of(command));
    Path log = Files.createDirectories(folder.resolve("logs")).resolve(name + ".log");
    Process process =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    process.getOutputStream().close();
    Named named = new Named(name, process, log);
    processes.add(named);
    return named;
  }

  /**
   * Checks that all of them run.
   *
   * @throws IOException if one has ended, with the end of its output
   */
  void requireAlive() throws IOException {
    for (Named named : processes) {
      requireAlive(named);
    }
  }

  private static void requireAlive(Named named) throws IOException {
    if (!named.process.isAlive()) {
      List<String> lines = Files.readAllLines(named.log);
      throw new IOException(
          "%s ended with exit code %d:\n%s"
              .formatted(
                  named.name,
                  named.process.exitValue(),
                  String.join(
                      "\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()))));
    }
  }

  /** Leaves the processes running and prints how to stop them. */
  void keep(PrintWriter out) {
    StringBuilder kill = new StringBuilder("kill");
    processes.reversed().forEach(named -> kill.append(' ').append(named.process.pid()));
    out.println("The registry and the workers keep running; stop them with: " + kill);
    processes.clear();
  }

  /** Ends them, workers first, so that none finds its registry gone; also if interrupted. */
  @Override
  public void close() {
    for (Named named : processes.reversed()) {
      named.process.destroy();
    }
    for (Named named : processes.reversed()) {
      awaitEnd(named.process);
    }
    processes.clear();
  }

  /** Waits for a process to end, and kills it when it takes too long. */
  private static void awaitEnd(Process process) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
    Uninterruptibles.await(
        () -> {
          if (!process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            process.waitFor();
          }
        });
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
