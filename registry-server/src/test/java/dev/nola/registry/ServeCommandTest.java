package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.command.Console;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ServeCommandTest {
  @Test
  void commandLineErrorsAreNamed() {
    assertThat(failure("--prot", "8080"))
        .contains("unknown option: --prot", "see nola serve --help");
    assertThat(failure("--port", "http")).contains("--port", "'http' is not an int");
    assertThat(failure("--log-format", "xml")).contains("expected one of [text, json]");
    assertThat(failure("extra")).contains("unexpected argument: extra");
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
