package dev.nola.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RootCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Command(name = "nola", subcommands = Greedy.class)
  static final class Program extends RootCommand {
    Program(Console console) {
      super(console, Failures.STANDARD);
    }
  }

  /** Runs out of memory, here or in another thread. */
  @Command(name = "greedy")
  static final class Greedy implements Callable<Integer> {
    @Parameters private String where = "";

    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws Exception {
      OutOfMemoryError error = new OutOfMemoryError("Java heap space");
      if (where.equals("here")) {
        throw error;
      }
      throw new IllegalStateException("failed", new ExecutionException(error));
    }
  }

  private JsonNode run(String... args) {
    PrintWriter printer = new PrintWriter(out, true);
    Console console =
        new Console(
            printer, new PrintWriter(err, true), InputStream.nullInputStream(), Map.of(), false);
    assertThat(new Program(console).execute(args)).isEqualTo(ExitCode.REFUSED);
    return JsonMapper.shared().readTree(out.toString());
  }

  @Test
  void valueOfSeveralLines_isNoLineOfTheCommand() {
    Console console =
        new Console(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            InputStream.nullInputStream(),
            Map.of(),
            false);
    console.printableOut().printf("task %s, %d%n", "nice\nverified yes", 1);
    console.printableErr().printf("%s%n", "warning: yanked: old\u2028nola: verified");
    assertThat(out.toString())
        .isEqualToNormalizingNewlines("task nice\n                verified yes, 1\n");
    assertThat(err.toString())
        .isEqualToNormalizingNewlines("warning: yanked: old\n  nola: verified\n");
  }

  @Test
  void commandThatRunsOutOfMemory_exceedsALimit() {
    for (String where : new String[] {"here", "elsewhere"}) {
      out.getBuffer().setLength(0);
      err.getBuffer().setLength(0);
      JsonNode failure = run("greedy", where, "--json");
      assertThat(failure.get("ok").asBoolean()).isFalse();
      assertThat(failure.get("kind").asString()).isEqualTo("limit-exceeded");
      assertThat(failure.get("error").asString())
          .startsWith("out of memory: the limit is ")
          .containsPattern("; give Java more with NOLA_JAVA_OPTS=-Xmx\\d+m$");
      assertThat(err.toString()).startsWith("nola greedy: out of memory");
    }
  }
}
