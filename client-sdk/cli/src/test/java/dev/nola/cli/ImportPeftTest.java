package dev.nola.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.command.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** A LoRA of PEFT as the input of every command that takes an adapter. */
class ImportPeftTest {
  private static final String QUERY = "model.layers.0.self_attn.q_proj";

  @TempDir private Path folder;
  private String base;
  private String lora;

  /** Makes a LoRA by exporting an adapter. */
  @BeforeEach
  void makeALora() throws IOException {
    base = BaseModel.write(folder.resolve("base")).toString();
    lora = path("lora");
    String adapter = path("a.nola");
    run(
        "synth",
        "--base",
        base,
        "--targets",
        "(q|v)_proj",
        "--rank",
        "3",
        "--k",
        "8",
        "--l",
        "8",
        "-o",
        adapter);
    run("export", adapter, "--base-model", "acme/tiny", "-o", lora);
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  private static Nola run(String... args) {
    Nola nola = Nola.run(args);
    assertThat(nola.err()).doesNotContainPattern("(?m)^nola ");
    assertThat(nola.exitCode()).isZero();
    return nola;
  }

  @Test
  void importedAdapterIsVerifiedMergedAndExported() throws Exception {
    Nola imported = run("import-peft", lora, "--base", base, "-o", path("b.nola"), "--json");

    JsonNode report = imported.json();
    assertThat(report.get("layers").asInt()).isEqualTo(2);
    assertThat(report.get("bits").asInt()).isEqualTo(16);
    assertThat(report.get("quantization").get("largest").asDouble()).isBetween(1e-7, 1e-3);
    assertThat(report.get("f16").get("module").asString()).startsWith("model.layers.0.");
    assertThat(report.get("outputBytes").asLong()).isEqualTo(Files.size(Path.of(path("b.nola"))));
    run("verify", path("b.nola"));
    run("export", path("b.nola"), "-o", path("again"));
    Nola merged =
        run("merge", "--base", base, "--adapter", path("b.nola"), "-o", path("merged"), "--json");
    assertThat(merged.json().get("merged").asInt()).isEqualTo(2);
    assertThat(merged.json().has("converted")).isFalse();
  }

  @Test
  void sentenceSaysWhatQuantizationChanges() {
    Nola imported = run("import-peft", lora, "--bits", "4", "-o", path("b.nola"));

    assertThat(imported.out())
        .contains(
            "2 layers at 4 bits", "quantization changes ΔW by", "rounding to f16 would change");
    assertThat(imported.err())
        .contains("note: names of tensors were taken from the paths of modules");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora", "lora/adapter_model.safetensors"})
  void mergeTakesTheLora(String name) throws Exception {
    run("import-peft", lora, "--base", base, "-o", path("b.nola"));
    run("merge", "--base", base, "--adapter", path("b.nola"), "-o", path("expected"));

    Nola merged =
        run("merge", "--base", base, "--adapter", path(name), "-o", path("merged"), "--json");

    assertThat(merged.err())
        .contains(path(name) + " is a LoRA of PEFT, converted in memory at 16 bits");
    assertThat(merged.json().get("converted").get(0).get("source").asString())
        .isEqualTo(path(name));
    assertThat(Files.readAllBytes(folder.resolve("merged/model.safetensors")))
        .isEqualTo(Files.readAllBytes(folder.resolve("expected/model.safetensors")))
        .isNotEqualTo(Files.readAllBytes(folder.resolve("base/model.safetensors")));
  }

  @Test
  void inspectDiffReconstructAndExportTakeTheLora() throws Exception {
    JsonNode inspected = run("inspect", lora, "--json").json();
    assertThat(inspected.get("generator").asString()).isEqualTo("identity");
    assertThat(inspected.get("converted").get(0).get("bits").asInt()).isEqualTo(16);
    assertThat(run("inspect", lora).out()).contains("PEFT, converted at 16 bits");

    Nola diff = Nola.run("diff", path("a.nola"), lora, "--json");
    assertThat(diff.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(diff.json().get("converted")).hasSize(1);
    assertThat(run("diff", lora, lora).out()).contains("the same bits");

    run("reconstruct", lora, "-o", path("factors.safetensors"));
    try (SafetensorsFile factors = SafetensorsFile.open(folder.resolve("factors.safetensors"))) {
      assertThat(factors.tensors()).containsKey(QUERY + ".weight.nola_A");
    }
    assertThat(run("export", lora, "-o", path("again"), "--json").json().get("converted"))
        .hasSize(1);
  }

  @Test
  void verifySaysThatALoraStatesNoDigest() {
    Nola verified = Nola.run("verify", lora);

    assertThat(verified.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(verified.err()).contains("states no digest", "nola import-peft");
  }

  @Test
  void refusalNamesTheSetting() throws Exception {
    Path config = folder.resolve("lora/adapter_config.json");
    Files.writeString(
        config, Files.readString(config).replaceAll("\"use_dora\" : false", "\"use_dora\" : true"));

    Nola imported = Nola.run("import-peft", lora, "-o", path("b.nola"), "--json");

    assertThat(imported.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(imported.json().get("kind").asString()).isEqualTo("unsupported");
    assertThat(imported.err()).contains("DoRA");
    assertThat(folder.resolve("b.nola")).doesNotExist();
    Nola merged = Nola.run("merge", "--base", base, "--adapter", lora, "-o", path("merged"));
    assertThat(merged.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(merged.err()).contains("DoRA");
  }

  @Test
  void modelThatIsNoLora_isRefusedByName() {
    for (String command : new String[] {"inspect", "export"}) {
      Nola refused =
          command.equals("export")
              ? Nola.run(command, base, "-o", path("x"))
              : Nola.run(command, base);
      assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED);
      assertThat(refused.err()).contains("is not a LoRA of PEFT");
    }
  }

  @Test
  void existingFileIsKept() throws Exception {
    Files.writeString(folder.resolve("b.nola"), "mine");

    Nola imported = Nola.run("import-peft", lora, "-o", path("b.nola"));

    assertThat(imported.exitCode()).isEqualTo(ExitCode.UNREADABLE);
    assertThat(imported.err()).contains("already exists");
    assertThat(folder.resolve("b.nola")).hasContent("mine");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "17"})
  void widthOfACodeIsChecked(String bits) {
    Nola refused = Nola.run("import-peft", lora, "--bits", bits, "-o", path("b.nola"));
    assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(refused.err()).contains("invalid --bits: " + bits + "; must be 1 to 16");
  }

  @Test
  void errorInJsonEscapesWhatCouldActOnATerminal() {
    Nola missing = Nola.run("import-peft", path("a\u202eb\u009bc"), "-o", path("b.nola"), "--json");

    assertThat(missing.out()).contains("a\\u202eb\\u009bc");
  }

  @Test
  void labelsWithCommasAreQuoted() {
    assertThat(ImportPeftCommand.names("up,\"left, then right\",\"say \"\"no\"\"\",5\""))
        .containsExactly("up", "left, then right", "say \"no\"", "5\"");
    assertThat(ImportPeftCommand.names("a,,\"\"")).containsExactly("a", "", "");
    for (String line : List.of("\"up", "\"up\"x,b", "\"a\"\"", "", "a\nb")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ImportPeftCommand.names(line))
          .withMessageContaining("invalid --labels: " + line + "; must be names");
    }
  }

  @Test
  void outputToStdoutIsRefused() {
    Nola refused = Nola.run("import-peft", lora, "-o", "-");
    assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(refused.err()).contains("'--output'").contains("'-' is stdout");
    assertThat(Path.of("-")).doesNotExist();
  }

  @Test
  void oneBitIsNotCalledBits() {
    Nola imported = run("import-peft", lora, "--bits", "1", "-o", path("b.nola"));

    assertThat(imported.out()).contains("2 layers at 1 bit,");
    assertThat(imported.err()).contains("warning: quantizing the factors at 1 bit changes ΔW by");
  }

  @Test
  void notesOnALoraAreMadeOnce() {
    String err = run("diff", lora, lora).err();

    assertThat(err).containsOnlyOnce("is a LoRA of PEFT");
    assertThat(err)
        .containsOnlyOnce(
            "note: %s: names of tensors were taken from the paths of modules".formatted(lora));
  }

  @Test
  void mergeOfALoraSaysThatTheBaseWasNotChecked() {
    Nola merged = run("merge", "--base", base, "--adapter", lora, "-o", path("merged"));

    assertThat(merged.err()).contains("does not state the identity of its base model");
  }

  @Test
  void exportOfAnImportStatesWhatItIs() throws Exception {
    run("import-peft", lora, "-o", path("b.nola"));
    run("export", path("b.nola"), "-o", path("again"));

    String card = Files.readString(folder.resolve("again/README.md"));
    assertThat(card).containsOnlyOnce("- lora\n").contains("| alpha of the original LoRA | 3 |");
  }
}
