package dev.nola.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.command.Console;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DemoMainTest {
  private static final JsonMapper ONE_DOCUMENT =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  /** Without the launcher, --quick cannot find the checkout. */
  @ParameterizedTest
  @ValueSource(strings = {"--bogus", "--quick"})
  void failureWithJson_isOneDocument(String option) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Console console =
        new Console(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            InputStream.nullInputStream(),
            Map.of(),
            false);
    assertThat(new DemoMain(console).execute("demo", option, "--json")).isEqualTo(2);
    JsonNode document = ONE_DOCUMENT.readTree(out.toString());
    assertThat(document.get("ok").asBoolean()).isFalse();
    assertThat(document.get("kind").asString()).isEqualTo("usage");
    assertThat(err.toString()).startsWith("nola demo: ").hasLineCount(1);
  }
}
