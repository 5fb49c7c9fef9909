package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ServeCommandTest {
  @Test
  void mistakesOnTheCommandLineAreNamed() {
    assertThat(failure("--prot", "8080")).contains("Unknown option", "--prot", "--port");
    assertThat(failure("--port", "http")).contains("--port", "'http' is not an int");
    assertThat(failure("--log-format", "xml")).contains("expected one of [text, json]");
    assertThat(failure("extra")).contains("Unmatched argument", "extra");
  }

  @Test
  void helpShowsAnExample() {
    StringWriter out = new StringWriter();
    assertThat(new CommandLine(new ServeCommand()).setOut(new PrintWriter(out)).execute("--help"))
        .isZero();
    assertThat(out.toString()).contains("nola serve --port 8080 --data ./nola-data");
  }

  private static String failure(String... arguments) {
    StringWriter err = new StringWriter();
    assertThat(new CommandLine(new ServeCommand()).setErr(new PrintWriter(err)).execute(arguments))
        .isEqualTo(2);
    return err.toString();
  }
}
