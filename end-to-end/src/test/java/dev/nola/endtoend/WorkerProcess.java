package dev.nola.endtoend;

import dev.nola.api.Scope;
import dev.nola.trainer.TrainerWorker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A worker with an approved key, in a separate process. */
final class WorkerProcess implements AutoCloseable {
  private static final Pattern KEY = Pattern.compile("key (sha256:[0-9a-f]{64})");

  private final Process process;
  private final Path output;

  private WorkerProcess(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /**
   * Starts a worker and approves its key.
   *
   * @param home the folder of its work, token, key and output
   */
  static WorkerProcess start(Registry registry, Path home, String name, int slots)
      throws IOException, InterruptedException {
    Path folder = Files.createDirectories(home.resolve(name));
    Path token = folder.resolve("token");
    Files.writeString(token, registry.token(name, Scope.READ, Scope.WORKER));
    Path output = folder.resolve("output.txt");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // It mostly starts and waits; the processes of its trainings start without these.
    command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(TrainerWorker.class.getName(), "worker"));
    command.addAll(List.of("--registry", registry.url().toString()));
    command.addAll(List.of("--token-file", token.toString(), "--name", name));
    command.addAll(List.of("--work", folder.resolve("work").toString()));
    command.addAll(List.of("--key", folder.resolve("key/key.pem").toString()));
    command.addAll(List.of("--slots", Integer.toString(slots), "--memory", "4500"));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    WorkerProcess worker = new WorkerProcess(process, output);
    Waiting.until("the key of " + name, () -> KEY.matcher(worker.output()).find());
    Matcher key = KEY.matcher(worker.output());
    if (!key.find()) {
      throw new AssertionError(worker.output());
    }
    int status =
        registry
            .send(
                "PUT",
                "/api/v1/worker-keys/" + key.group(1) + "/approval",
                "application/json",
                "{\"expiresAt\":null}".getBytes())
            .statusCode();
    if (status != 200) {
      throw new AssertionError("approval: " + status);
    }
    return worker;
  }

  /** Returns the worker's output so far. */
  String output() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Sends SIGKILL. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Sends SIGSTOP: the worker stops running, but its child processes continue. */
  void freeze() throws IOException {
    signal("STOP");
  }

  /** Sends SIGCONT. */
  void thaw() throws IOException {
    signal("CONT");
  }

  private void signal(String name) throws IOException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().onExit().join();
  }

  ProcessHandle process() {
    return process.toHandle();
  }

  /** Returns the worker's child processes. */
  List<ProcessHandle> children() {
    return process.descendants().toList();
  }

  @Override
  public void close() throws IOException {
    end();
  }

  /** Stops it, and waits for its end. */
  void end() throws IOException {
    if (process.isAlive()) {
      thaw();
      process.destroy(); // SIGTERM: the worker returns its jobs
      process.onExit().completeOnTimeout(process, 30, TimeUnit.SECONDS).join();
      kill();
    }
  }
}
