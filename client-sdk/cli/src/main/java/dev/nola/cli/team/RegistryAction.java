package dev.nola.cli.team;

import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** A command that asks a registry: has the options of all of them, and closes the client. */
abstract class RegistryAction implements Callable<Integer> {
  @Mixin RegistryOption registry = new RegistryOption();
  @Mixin Output output = new Output();

  @Override
  public final Integer call() throws IOException, InterruptedException {
    try (NolaClient client = registry.client(output, requestTimeout())) {
      return run(client);
    }
  }

  /** Returns how long the registry may take to answer one request. */
  Duration requestTimeout() {
    return NolaClient.DEFAULT_REQUEST_TIMEOUT;
  }

  /**
   * Does the command's work.
   *
   * @param client of the registry
   * @return the exit code
   * @throws IOException if the registry refuses or cannot be reached, or a file cannot be used
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  abstract int run(NolaClient client) throws IOException, InterruptedException;
}
