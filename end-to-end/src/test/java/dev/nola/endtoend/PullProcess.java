package dev.nola.endtoend;

import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.digest.Sha256;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A process that pulls on request and prints the digest of the bytes it got. */
final class PullProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;

  private PullProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Starts a process and waits until it is ready to pull. */
  static PullProcess start(URI registry, Path cache, Reference reference) throws IOException {
    PullProcess started =
        new PullProcess(
            new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    System.getProperty("java.class.path"),
                    PullProcess.class.getName(),
                    registry.toString(),
                    cache.toString(),
                    reference.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    started.expect("ready");
    return started;
  }

  /** Starts the pull. */
  void pull() throws IOException {
    process.getOutputStream().write('\n');
    process.getOutputStream().flush();
  }

  /** Waits until the process has received the first bytes of the file. */
  void awaitFirstBytes() throws IOException {
    expect("receiving");
  }

  /** Returns the digest of the bytes that the process got, and whether they came from the cache. */
  String result() throws IOException {
    String line = output.readLine();
    while (line != null && line.equals("receiving")) {
      line = output.readLine();
    }
    return String.valueOf(line);
  }

  /** Sends SIGKILL: the process has no time to clean up. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  private void expect(String expected) throws IOException {
    String line = output.readLine();
    if (!expected.equals(line)) {
      throw new AssertionError("expected " + expected + ", got " + line);
    }
  }

  @Override
  public void close() {
    kill();
  }

  /** Runs in the process; arguments: registry, cache, reference. */
  public static void main(String[] args) throws Exception {
    try (NolaClient client =
            NolaClient.builder(URI.create(args[0])).cache(LocalCache.at(Path.of(args[1]))).build();
        BufferedReader input =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      System.out.println("ready");
      input.readLine();
      boolean[] told = new boolean[1];
      Progress progress =
          (done, _) -> {
            if (!told[0] && done > 0) {
              told[0] = true;
              System.out.println("receiving");
            }
          };
      Pulled pulled = client.pull(Reference.parse(args[2]), progress);
      System.out.println(
          Sha256.hash(Files.readAllBytes(pulled.path()))
              + (pulled.fromCache() ? " cached" : " downloaded"));
    }
  }
}
