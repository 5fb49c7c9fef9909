package dev.nola.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What export and merge do about names and types, as a user sees it. */
class NamesAndTypesTest {
  @TempDir private Path folder;
  private Path base;
  private String adapter;

  @BeforeEach
  void makeAnAdapter() throws IOException {
    base = BaseModel.write(folder.resolve("base"));
    adapter = folder.resolve("a.nola").toString();
    Nola made =
        Nola.run(
            "synth",
            "--base",
            base.toString(),
            "--targets",
            "q_proj",
            "--k",
            "9",
            "--l",
            "9",
            "-o",
            adapter);
    assertThat(made.exitCode()).as(made.err()).isZero();
  }

  private Nola export(String name, String... more) {
    List<String> args = new ArrayList<>(List.of("export", adapter, "--base-model", "acme/base"));
    args.addAll(List.of("-o", folder.resolve(name).toString()));
    args.addAll(List.of(more));
    return Nola.run(args.toArray(String[]::new));
  }

  @Test
  void pathsAreConfirmedByTheBaseOnly() {
    JsonNode confirmed = export("one", "--base", base.toString(), "--json").json();
    assertThat(confirmed.get("warnings").isEmpty()).isTrue();
    Nola unconfirmed = export("two", "--json");
    assertThat(unconfirmed.json().get("warnings").get(0).asString()).contains("not confirmed");
    assertThat(unconfirmed.err()).startsWith("warning: ").contains("not confirmed");
  }

  @Test
  void renamedModuleHasTheGivenPath() throws Exception {
    Nola exported =
        export("lora", "--rename", "model.layers=my.blocks", "--rename", "self_attn=attn");
    assertThat(exported.err()).isEmpty();
    try (SafetensorsFile lora =
        SafetensorsFile.open(folder.resolve("lora/adapter_model.safetensors"))) {
      assertThat(lora.tensors().keySet())
          .allMatch(key -> key.startsWith("base_model.model.my.blocks.0.attn.q_proj.lora_"));
    }
    assertThat(Files.readString(folder.resolve("lora/adapter_config.json")))
        .contains("\"my.blocks.0.attn.q_proj\"");
  }

  @Test
  void invalidRenameIsAnErrorOfUsage() {
    Nola refused = export("lora", "--rename", "model.layers");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err()).contains("--rename").contains("must be FROM=TO");
  }

  @Test
  void mergedModelHasTheTypeAskedFor() throws Exception {
    Path merged = folder.resolve("merged");
    Nola done =
        Nola.run(
            "merge",
            "--base",
            base.toString(),
            "--adapter",
            adapter,
            "--dtype",
            "bf16",
            "-o",
            merged.toString());
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(done.out()).contains("1 tensor adapted").contains("0 copied, 2 converted to BF16");
    try (Model model = Model.open(merged)) {
      assertThat(model.tensors().values()).allMatch(tensor -> tensor.type().equals("BF16"));
    }
    assertThat(Files.readString(merged.resolve("config.json"))).contains("bfloat16");
  }

  @Test
  void folderOfPeftIsTakenWhereverAnAdapterIs() {
    String lora = folder.resolve("lora").toString();
    assertThat(export("lora").exitCode()).isZero();
    String merged = folder.resolve("merged").toString();
    String factors = folder.resolve("f.safetensors").toString();
    String again = folder.resolve("again").toString();
    assertThat(Nola.run("inspect", lora).exitCode()).isZero();
    assertThat(Nola.run("diff", lora, lora).exitCode()).isZero();
    assertThat(Nola.run("reconstruct", lora, "-o", factors).exitCode()).isZero();
    assertThat(Nola.run("export", lora, "-o", again).exitCode()).isZero();
    assertThat(
            Nola.run("merge", "--base", base.toString(), "--adapter", lora, "-o", merged)
                .exitCode())
        .isZero();
    Nola verified = Nola.run("verify", lora);
    assertThat(verified.exitCode()).isEqualTo(2);
    assertThat(verified.err()).contains("states no digest").contains("nola import-peft");
    Nola locked = Nola.run("lock", lora, "-o", folder.resolve("nola.lock").toString());
    assertThat(locked.err()).contains("not an adapter file, whose bytes could be locked");
  }
}
