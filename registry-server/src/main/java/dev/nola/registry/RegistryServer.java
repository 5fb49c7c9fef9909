package dev.nola.registry;

import java.util.Arrays;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.security.autoconfigure.UserDetailsServiceAutoConfiguration;
import org.springframework.scheduling.annotation.EnableScheduling;
import picocli.CommandLine;

/** Entry point of the registry. */
@SpringBootApplication(
    exclude = UserDetailsServiceAutoConfiguration.class, // callers have tokens, not passwords
    proxyBeanMethods = false)
@EnableScheduling
public class RegistryServer {

  /** Starts the server, which then runs until the process is asked to end. */
  public static void main(String[] args) {
    String[] options =
        args.length > 0 && args[0].equals("serve")
            ? Arrays.copyOfRange(args, 1, args.length)
            : args;
    int exitCode =
        new CommandLine(new ServeCommand())
            .setExecutionExceptionHandler((_, _, _) -> 1) // Boot has printed the reason
            .execute(options);
    if (exitCode != 0 || isHelp(options)) {
      System.exit(exitCode);
    }
  }

  private static boolean isHelp(String[] options) {
    return Arrays.stream(options)
        .anyMatch(o -> Arrays.asList("-h", "--help", "-V", "--version").contains(o));
  }
}
