package dev.nola.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.command.Console;
import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void writeAnAdapter() throws IOException {
    Codes codes = Codes.of(4, 1, 2, 15);
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(0xfedcba9876543210L)
            .layer(Layer.ofMatrix("h.0.w", 8, 9, 0, 0x1.8p-10f, new LowRank(2, codes, codes)))
            .layer(
                new Layer(
                    "h.1.w", List.of(8, 9), new Slice(1, 3, 2), 8, 2, -1, 1, new Direct(codes)))
            .build();
    file = folder.resolve("adapter.nola");
    Reconstructor.standard().seal(adapter).write(file);
  }

  private int nola(String... args) {
    return new Main(
            new Console(
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                InputStream.nullInputStream(),
                Map.of(),
                false))
        .execute(args);
  }

  @Test
  void verifyPrintsTheDigestThatInspectShows() {
    assertThat(nola("verify", file.toString(), "--json")).isZero();
    JsonNode verified = JsonMapper.shared().readTree(out.toString());
    assertThat(verified.get("ok").asBoolean()).isTrue();
    out.getBuffer().setLength(0);
    assertThat(nola("inspect", file.toString(), "--json")).isZero();
    JsonNode inspected = JsonMapper.shared().readTree(out.toString());
    assertThat(inspected.get("reconstructionDigest"))
        .isEqualTo(verified.get("reconstructionDigest"));
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void inspectPrintsWhatOtherToolsRelyOn() {
    assertThat(nola("inspect", file.toString(), "--json", "--codes")).isZero();
    JsonNode adapter = JsonMapper.shared().readTree(out.toString());
    assertThat(adapter.get("format").asString()).isEqualTo("1.0");
    assertThat(adapter.get("generator").asString()).isEqualTo("philox-srht");
    assertThat(adapter.get("seed").asString()).isEqualTo("0xfedcba9876543210");
    assertThat(adapter.get("layers").get(0).toString())
        .isEqualTo(
            "{\"tensor\":\"h.0.w\",\"shape\":[8,9],\"slice\":null,\"form\":\"low-rank\",\"rows\":8,\"cols\":9,"
                + "\"rank\":2,\"scale\":\"0x1.8p-10\",\"a\":{\"stream\":0,\"k\":3,\"bits\":4,\"codes\":[1,2,15]},"
                + "\"b\":{\"stream\":0,\"l\":3,\"bits\":4,\"codes\":[1,2,15]}}");
    JsonNode direct = adapter.get("layers").get(1);
    assertThat(direct.get("slice").toString()).isEqualTo("{\"dim\":1,\"start\":3,\"length\":2}");
    assertThat(direct.get("form").asString()).isEqualTo("direct");
    assertThat(direct.get("a").get("stream").asLong()).isEqualTo(0xFFFFFFFFL);
    assertThat(direct.get("b").isNull()).isTrue();
  }

  @Test
  void inspectIsReadableWithoutJson() {
    assertThat(nola("inspect", file.toString())).isZero();
    assertThat(out.toString())
        .contains("generator       philox-srht, seed 0xfedcba9876543210")
        .contains("layers: 2, coefficients: 9, dense tensors: 0")
        .contains("h.1.w [8, 9] 3..4 of dimension 1 as 8×2, direct")
        .contains("h.0.w [8, 9] as 8×9, rank 2, α 3 codes of 4 bits, β 3 codes of 4 bits");
  }

  @Test
  void aDamagedFileIsRefusedInOneSentence() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[100] ^= 1;
    Files.write(file, bytes);
    assertThat(nola("verify", file.toString(), "--json")).isEqualTo(1);
    JsonNode refused = JsonMapper.shared().readTree(out.toString());
    assertThat(refused.get("ok").asBoolean()).isFalse();
    assertThat(refused.get("kind").asString()).isEqualTo("corrupt");
    assertThat(err.toString())
        .startsWith("nola verify: " + file + ": checksum failed")
        .hasLineCount(1);
  }

  @Test
  void aMissingFileIsNamed() {
    String missing = folder.resolve("none.nola").toString();
    assertThat(nola("inspect", missing)).isEqualTo(3);
    assertThat(err.toString()).isEqualTo("nola inspect: " + missing + ": no such file\n");
  }

  @Test
  void jsonIsPrintedWhateverFails() {
    assertThat(nola("inspect", folder.toString(), "--json")).isEqualTo(1);
    JsonNode failed = JsonMapper.shared().readTree(out.toString());
    assertThat(failed.get("kind").asString()).isEqualTo("not-peft");
    assertThat(err.toString())
        .isEqualTo(
            "nola inspect: "
                + folder
                + ": is not a LoRA of PEFT: it has no adapter_model.safetensors\n");
  }

  @Test
  void codesNeedJson() {
    assertThat(nola("inspect", file.toString(), "--codes")).isEqualTo(2);
    assertThat(err.toString()).startsWith("nola inspect: --codes requires --json");
  }

  @Test
  void outputThatCannotBeWrittenIsAnError() {
    PrintWriter full =
        new PrintWriter(
            new Writer() {
              @Override
              public void write(char[] text, int offset, int length) throws IOException {
                throw new IOException("no space left");
              }

              @Override
              public void flush() {}

              @Override
              public void close() {}
            });
    Console console =
        new Console(
            full, new PrintWriter(err, true), InputStream.nullInputStream(), Map.of(), false);
    assertThat(new Main(console).execute("inspect", file.toString())).isEqualTo(3);
    assertThat(err.toString()).isEqualTo("nola: cannot write to stdout\n");
  }

  @Test
  void anUnknownCommandIsAUsageError() {
    assertThat(nola("fly")).isEqualTo(2);
    assertThat(err.toString()).contains("unknown command: fly");
  }

  @Test
  void whatAStrangerWroteIsNoCommandToTheTerminal() throws IOException {
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.SRHT)
            .layer(Layer.ofMatrix("w", 8, 9, 0, 1, new LowRank(2, Codes.of(4, 1), Codes.of(4, 1))))
            .metadata(Metadata.of("bell\u0007 red\u001b[31m turned\u202e", "", ""))
            .build();
    Reconstructor.standard().seal(adapter).write(file);
    assertThat(nola("inspect", file.toString())).isZero();
    assertThat(out.toString()).contains("bell\uFFFD red\uFFFD[31m turned\uFFFD");
  }

  @Test
  void descriptionOfSeveralLinesForgesNoField() throws IOException {
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.SRHT)
            .layer(Layer.ofMatrix("w", 8, 9, 0, 1, new LowRank(2, Codes.of(4, 1), Codes.of(4, 1))))
            .metadata(Metadata.of("nice\nlicense         MIT", "", ""))
            .build();
    Path forged = folder.resolve("forged.nola");
    Reconstructor.standard().seal(adapter).write(forged);
    assertThat(nola("inspect", forged.toString())).isZero();
    assertThat(nola("diff", file.toString(), forged.toString())).isEqualTo(1);
    assertThat(out.toString()).contains("license         MIT").doesNotContain("\nlicense ");
  }

  @Test
  void fileOfAnotherKindIsGuessed() throws IOException {
    Path readme = Files.writeString(folder.resolve("README.md"), "# Nola\n" + "text ".repeat(10));
    assertThat(nola("inspect", readme.toString())).isEqualTo(1);
    assertThat(err.toString())
        .isEqualTo(
            "nola inspect: %s: not a .nola file: it begins with 23 20 4e 6f; must begin with 4e 4f 4c 41 (NOLA); it seems to be text\n"
                .formatted(readme));
  }

  @Test
  void helpAndVersionGoToStdout() {
    assertThat(nola("--version")).isZero();
    assertThat(nola("--help")).isZero();
    assertThat(out.toString()).contains("adapter format 1.0").contains("Exit codes:");
    assertThat(err.toString()).isEmpty();
  }
}
