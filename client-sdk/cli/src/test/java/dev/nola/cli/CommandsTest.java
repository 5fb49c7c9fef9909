package dev.nola.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.command.Console;
import dev.nola.command.ExitCode;
import dev.nola.command.HelpCommand;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Metadata;
import dev.nola.reconstruct.Budget;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

/** Commands that need no registry. */
class CommandsTest {
  private static final String KEY = "sha256:" + "0a".repeat(32);
  @TempDir private Path folder;
  private Path base;
  private String adapter;

  @BeforeEach
  void makeAnAdapter() throws IOException {
    base = BaseModel.write(folder.resolve("base"));
    adapter = synth("a.nola", "1");
  }

  private String synth(String name, String seed) {
    String file = folder.resolve(name).toString();
    Nola made =
        Nola.run(
            "synth",
            "--base",
            base.toString(),
            "--targets",
            "(q|v)_proj",
            "--rank",
            "3",
            "--k",
            "10",
            "--l",
            "11",
            "--bits",
            "5",
            "--generator",
            "philox-uniform8",
            "--seed",
            seed,
            "-o",
            file);
    assertThat(made.err()).isEmpty();
    assertThat(made.exitCode()).isZero();
    return file;
  }

  @Test
  void charactersThatReverseTextAreEscapedInJson() throws Exception {
    AdapterFile file = AdapterFile.read(Path.of(adapter));
    Adapter.Builder renamed =
        Adapter.builder()
            .generator(file.adapter().generator())
            .seed(file.adapter().seed())
            .base(file.adapter().base())
            .metadata(Metadata.of("moo\u202Ed\u2066 \u00e4 \uDB40\uDC41", "task", "MIT"));
    file.adapter().layers().forEach(renamed::layer);
    Path named = folder.resolve("bidi.nola");
    Files.write(named, new AdapterFile(renamed.build(), file.reconstructionDigest()).toBytes());

    Nola inspected = Nola.run("inspect", named.toString(), "--json");

    assertThat(inspected.out())
        .contains("\"moo\\u202ed\\u2066 \u00e4 \\udb40\\udc41\"")
        .doesNotContain("\u202E", "\u2066");
    assertThat(inspected.json().toString()).contains("moo\u202Ed\u2066");
  }

  @Test
  void inspectPrintsEveryValueInOneColumn() throws Exception {
    AdapterFile file = AdapterFile.read(Path.of(adapter));
    Adapter.Builder described =
        Adapter.builder()
            .generator(file.adapter().generator())
            .seed(file.adapter().seed())
            .base(file.adapter().base())
            .metadata(
                Metadata.of("A mood.", "text-classification", "MIT")
                    .withTags("mood")
                    .withMetrics(Map.of("accuracy", 0.5))
                    .withProvenance(Map.of("method", "nola")));
    file.adapter().layers().forEach(described::layer);
    Path path = folder.resolve("described.nola");
    Files.write(path, new AdapterFile(described.build(), file.reconstructionDigest()).toBytes());

    List<String> lines = Nola.run("inspect", path.toString()).out().lines().toList();

    assertThat(lines)
        .contains("metric          accuracy = 0.5", "provenance      method = nola")
        .allSatisfy(line -> assertThat(line).matches("  .*|(?=.{15} \\S)\\S+ +\\S.*"));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void synthMakesWhatItsOptionsSay() {
    JsonNode made = Nola.run("inspect", adapter, "--json", "--codes").json();
    assertThat(made.get("generator").asString()).isEqualTo("philox-uniform8");
    assertThat(made.get("seed").asString()).isEqualTo("0x0000000000000001");
    assertThat(made.get("layers")).hasSize(2);
    JsonNode layer = made.get("layers").get(0);
    assertThat(layer.get("rank").asInt()).isEqualTo(3);
    assertThat(layer.get("a").get("codes")).hasSize(10);
    assertThat(layer.get("b").get("codes")).hasSize(11);
    assertThat(layer.get("a").get("bits").asInt()).isEqualTo(5);
    assertThat(made.get("base").get("identity").asString()).startsWith("sha256:");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {"q_proj; : 1 layer,", "(q|v)_proj; : 2 layers,"})
  void synthCountsItsLayers(String targets, String count) {
    String file = folder.resolve("counted.nola").toString();
    Nola made = Nola.run("synth", "--base", base.toString(), "--targets", targets, "-o", file);
    assertThat(made.out()).contains(count);
  }

  @Test
  void synthIsDeterministic() throws IOException {
    assertThat(Path.of(synth("b.nola", "1"))).hasSameBinaryContentAs(Path.of(adapter));
    assertThat(Path.of(synth("c.nola", "0x1"))).hasSameBinaryContentAs(Path.of(adapter));
    assertThat(Files.mismatch(Path.of(synth("d.nola", "2")), Path.of(adapter))).isNotNegative();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--generator|gaussian|invalid --generator: gaussian; must be one of philox-uniform24,",
        "--seed|-1|invalid --seed: -1; must be 0 to 2^64-1",
        "--targets|k_proj|matches k_proj; its tensors are model.",
        "--targets|(|invalid --targets: (; must be an RE2 pattern",
        "--bits|17|invalid code width: 17 bits; must be 1 to 16",
        "--rank|0|invalid rank: 0; must be at least 1",
        "--k|many|Invalid value for option '--k'",
      })
  void synthNamesTheValueAndTheRule(String option, String value, String message) {
    List<String> args =
        new ArrayList<>(
            List.of("synth", "--base", base.toString(), "-o", folder.resolve("x").toString()));
    if (!option.equals("--targets")) {
      args.addAll(List.of("--targets", "q_proj"));
    }
    args.addAll(List.of(option, value));
    Nola refused = Nola.run(args.toArray(String[]::new));
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err()).contains(message).doesNotContain("Exception");
    assertThat(folder.resolve("x")).doesNotExist();
  }

  @Test
  void synthReplacesNothingButItsOwn() throws IOException {
    synth("a.nola", "2");
    assertThat(Nola.run("inspect", adapter).out()).contains("seed 0x0000000000000002");
    Path mine = Files.writeString(folder.resolve("mine"), "mine");
    Nola refused =
        Nola.run("synth", "--base", base.toString(), "--targets", "q", "-o", mine.toString());
    assertThat(refused.exitCode()).isEqualTo(3);
    assertThat(refused.err())
        .startsWith("nola synth: " + mine + ": already exists and was not made by synth");
    assertThat(mine).hasContent("mine");
  }

  @Test
  void mergeWritesAModelAndSaysWhatItDid() throws IOException {
    Path merged = folder.resolve("merged");
    Nola done =
        Nola.run(
            "merge",
            "--base",
            base.toString(),
            "--adapter",
            adapter + "=0.5",
            "-o",
            merged.toString(),
            "--json");
    assertThat(done.exitCode()).isZero();
    assertThat(done.err()).isEmpty();
    assertThat(done.json().get("merged").asInt()).isEqualTo(2);
    assertThat(done.json().get("copied").asInt()).isEqualTo(1);
    assertThat(done.json().get("bytes").asInt()).isEqualTo(1200);
    assertThat(merged.resolve("config.json")).exists();
    try (SafetensorsFile before = SafetensorsFile.open(base.resolve("model.safetensors"));
        SafetensorsFile after = SafetensorsFile.open(merged.resolve("model.safetensors"))) {
      String q = "model.layers.0.self_attn.q_proj.weight";
      assertThat(after.tensors().get(q).data().mismatch(before.tensors().get(q).data()))
          .isNotEqualTo(-1);
    }
  }

  @Test
  void aDryRunWritesNothing() throws IOException {
    List<String> before = names();
    Nola done =
        Nola.run(
            "merge",
            "--base",
            base.toString(),
            "--adapter",
            adapter,
            "-o",
            folder.resolve("m").toString(),
            "--dry-run");
    assertThat(done.exitCode()).isZero();
    assertThat(done.out()).startsWith("would write").contains("2 tensors adapted");
    assertThat(names()).isEqualTo(before);
  }

  @Test
  void anotherBaseIsRefusedAndCanBeAllowed() throws IOException {
    Path weights = base.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 100] ^= 1; // in v_proj
    Files.write(weights, bytes);
    String out = folder.resolve("m").toString();
    Nola refused =
        Nola.run("merge", "--base", base.toString(), "--adapter", adapter, "-o", out, "--json");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.json().get("kind").asString()).isEqualTo("base");
    assertThat(refused.err())
        .contains("is not the base model that the adapter was made for")
        .contains("--allow-base-mismatch");
    Nola allowed =
        Nola.run(
            "merge",
            "--base",
            base.toString(),
            "--adapter",
            adapter,
            "-o",
            out,
            "--allow-base-mismatch");
    assertThat(allowed.exitCode()).isZero();
    assertThat(allowed.err()).startsWith("warning: ").contains("is not the base model");
    Nola skipped =
        Nola.run(
            "merge",
            "--base",
            base.toString(),
            "--adapter",
            adapter,
            "-o",
            out + "2",
            "--skip-base-check");
    assertThat(skipped.err()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "a.nola, a.nola, 1",
    "a.nola=0.5, a.nola, 0.5",
    "a.nola=-1e-3, a.nola, -0.001",
    "acme/mood@prod=2, acme/mood@prod, 2",
    "acme/mood@>=1.2, acme/mood@>=1.2, 1",
    "acme/mood@=1.2, acme/mood@=1.2, 1",
    "acme/mood@>=1 <=2=0.25, acme/mood@>=1 <=2, 0.25",
  })
  void weightsAreToldFromNamesAndRanges(String argument, String name, double weight) {
    assertThat(MergeCommand.Weighted.parse(argument))
        .isEqualTo(new MergeCommand.Weighted(name, weight));
  }

  @Test
  void aWeightThatIsNoNumberIsNamed() {
    Nola refused =
        Nola.run(
            "merge",
            "--base",
            base.toString(),
            "--adapter",
            adapter + "=half",
            "-o",
            folder.resolve("m").toString());
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err())
        .contains("invalid --adapter: " + adapter + "=half; must be")
        .contains("a finite number");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.nola=1e999", "a.nola=NaN", "=0.5"})
  void aWeightThatIsNotFiniteOrOfNothingIsNamed(String argument) {
    Nola refused = Nola.run("merge", "--base", base.toString(), "--adapter", argument, "-o", "x");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err()).contains("invalid --adapter: " + argument + "; must be");
  }

  @Test
  void aMisspelledOptionIsNamedRatherThanTheOneThatIsMissed() {
    Nola refused =
        Nola.run("merge", "--bsae", base.toString(), "--adapter", adapter, "-o", "x", "--json");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err())
        .isEqualTo(
            "nola merge: unknown option: --bsae; did you mean --base?; see nola merge --help\n");
    assertThat(Nola.run("mrege").err())
        .isEqualTo("nola: unknown command: mrege; did you mean merge?; see nola --help\n");
    assertThat(refused.json().get("kind").asString()).isEqualTo("usage");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "zzz --json|nola: unknown command: zzz; see nola --help",
        "alias --json|nola alias: missing command; must be one of set, remove, list, history; see"
            + " nola alias --help",
        "cache|nola cache: missing command; must be one of list, verify, remove, clear; see nola"
            + " cache --help",
        "cache zzz --json|nola cache: unknown command: zzz; must be one of list, verify, remove, clear; see nola cache --help",
        "cache --bogus --json|nola cache: unknown option: --bogus; see nola cache --help",
        "--json search|nola: unknown option: --json; see nola --help",
        "help zzz|nola: unknown command: zzz; see nola --help",
      })
  void unknownOrMissingCommandIsSaidToBe(String line, String message) {
    Nola refused = Nola.run(line.split(" "));
    assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(refused.err()).isEqualTo(message + "\n");
    if (line.contains("--json")) {
      assertThat(refused.json().get("kind").asString()).isEqualTo("usage");
    }
  }

  @Test
  void outputThatExistsIsOneKindOfFailure() throws IOException {
    String file = Files.writeString(folder.resolve("mine"), "mine").toString();
    for (List<String> command :
        List.of(
            List.of("merge", "--base", base.toString(), "--adapter", adapter),
            List.of("export", adapter),
            List.of("reconstruct", adapter),
            List.of("import-peft", folder.toString()))) {
      List<String> args = new ArrayList<>(command);
      args.addAll(List.of("-o", file, "--json"));
      Nola refused = Nola.run(args.toArray(String[]::new));
      assertThat(refused.exitCode()).as(command.getFirst()).isEqualTo(ExitCode.UNREADABLE);
      assertThat(refused.json().get("kind").asString())
          .as(command.getFirst())
          .isEqualTo("destination");
      assertThat(refused.json().get("error").asString())
          .isEqualTo(file + ": already exists; remove it, or choose another file");
    }
    assertThat(Path.of(file)).hasContent("mine");
  }

  @Test
  void versionThatIsToBeNumberedIsAskedFor() {
    String rule = "; must be NAMESPACE/NAME@VERSION with a version number such as 1.0.0\n";
    assertThat(Nola.run("yank", "acme/mood", "--reason", "x").err())
        .isEqualTo("nola yank: missing version: acme/mood" + rule);
    assertThat(Nola.run("yank", "acme/mood@^1", "--undo").err())
        .isEqualTo("nola yank: invalid version: acme/mood@^1" + rule);
    assertThat(Nola.run("publish", adapter, "acme/mood").err())
        .isEqualTo("nola publish: missing version: acme/mood" + rule);
  }

  @Test
  void fileThatIsNotInTheCacheCannotBeRemoved() {
    Map<String, String> cache = Map.of("NOLA_CACHE", folder.resolve("cache").toString());
    for (String name : List.of(KEY, "acme/mood@1.0.0")) {
      Nola refused = Nola.run(cache, "", "cache", "rm", name, "--json");
      assertThat(refused.exitCode()).isEqualTo(ExitCode.UNREADABLE);
      assertThat(refused.json().get("error").asString()).startsWith(name + ": not in the cache");
    }
  }

  @Test
  void exportWritesALora() {
    Path lora = folder.resolve("lora");
    Nola done =
        Nola.run("export", adapter, "--format", "peft", "-o", lora.toString(), "--dtype", "bf16");
    assertThat(done.err().lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("not confirmed").endsWith("; pass --base"),
            line ->
                assertThat(line)
                    .contains("name of the base model is not known")
                    .endsWith("; pass --base-model"));
    assertThat(done.exitCode()).isZero();
    assertThat(done.out()).contains("2 modules of rank 3").contains("rounding to BF16");
    assertThat(lora.resolve("adapter_model.safetensors")).exists();
    Nola refused = Nola.run("export", adapter, "-o", lora.toString());
    assertThat(refused.exitCode()).isEqualTo(3);
    assertThat(refused.err()).contains("already exists");
    Nola vllm = Nola.run("export", adapter, "--for", "vllm", "-o", folder.resolve("v").toString());
    assertThat(vllm.exitCode()).isEqualTo(1);
    assertThat(vllm.err())
        .contains("vLLM needs the name of the base model")
        .contains("; pass --base-model");
  }

  @ParameterizedTest
  @CsvSource({"mlx, lora, adapters.safetensors", "onnx_adapter, lora.onnx_adapter, ''"})
  void exportWritesOtherFormats(String format, String name, String file) {
    Path lora = folder.resolve(name);

    Nola done = Nola.run("export", adapter, "--format", format, "-o", lora.toString(), "--json");

    assertThat(done.exitCode()).isZero();
    assertThat(done.json().get("format").asString()).isEqualTo(format);
    assertThat(lora.resolve(file)).isNotEmptyFile();
  }

  @Test
  void exportToGgufNeedsTheBaseModel() {
    String lora = folder.resolve("lora.gguf").toString();

    Nola refused = Nola.run("export", adapter, "--format", "gguf", "-o", lora);

    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err())
        .contains("a GGUF LoRA needs the base model's config")
        .contains("; pass --base");
    assertThat(Nola.run("export", adapter, "--format", "gguf", "--for", "vllm", "-o", lora).err())
        .startsWith("nola export: --for applies only to --format peft");
  }

  @Test
  void diffTellsByItsExitCode() {
    String other = synth("b.nola", "2");
    assertThat(Nola.run("diff", adapter, adapter).exitCode()).isZero();
    Nola differs = Nola.run("diff", adapter, other);
    assertThat(differs.exitCode()).isEqualTo(1);
    assertThat(differs.out())
        .startsWith("seed\n- 0x0000000000000001\n+ 0x0000000000000002\n")
        .contains("~ model.layers.0.self_attn.q_proj.weight, distance 1.")
        .endsWith("other bits; layers with the same bits: 0 of 2\n");
    JsonNode json = Nola.run("diff", adapter, other, "--json").json();
    assertThat(json.get("sameBits").asBoolean()).isFalse();
    assertThat(json.get("layers")).hasSize(2);
    assertThat(json.get("layers").get(0).get("where").asString()).isEqualTo("changed");
  }

  @Test
  void reconstructWritesFactors() throws IOException {
    Path factors = folder.resolve("f.safetensors");
    assertThat(Nola.run("reconstruct", adapter, "-o", factors.toString()).exitCode()).isZero();
    try (SafetensorsFile read = SafetensorsFile.open(factors)) {
      assertThat(read.tensors().get("model.layers.0.self_attn.q_proj.weight.nola_A").shape())
          .containsExactly(12L, 3L);
    }
  }

  @Test
  void adapterThatTakesTooMuchWorkIsRefusedWithTheOptionThatAllowsIt() {
    System.setProperty(Budget.ADDITIONS_PROPERTY, "1000");
    try {
      for (String command : List.of("verify", "reconstruct", "diff")) {
        List<String> args = new ArrayList<>(List.of(command, adapter, "--json"));
        if (command.equals("reconstruct")) {
          args.addAll(List.of("-o", folder.resolve("out").toString()));
        } else if (command.equals("diff")) {
          args.add(2, adapter);
        }
        Nola refused = Nola.run(args.toArray(String[]::new));
        assertThat(refused.exitCode()).as(command).isEqualTo(ExitCode.REFUSED);
        assertThat(refused.json().get("kind").asString()).isEqualTo("limit-exceeded");
        assertThat(refused.json().get("error").asString())
            .contains("reconstruction exceeds the budget: ")
            .contains("; limit is 1,000; allow more with NOLA_JAVA_OPTS=-Dnola.maxAdditions=");
      }
    } finally {
      System.clearProperty(Budget.ADDITIONS_PROPERTY);
    }
  }

  @Test
  void invalidLockFileIsRefused() throws IOException {
    Path lock = Files.writeString(folder.resolve("nola.lock"), "{\"version\": 1, ");

    Nola refused = Nola.run("verify", "--lock", lock.toString(), "--json");

    assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(refused.out()).contains("\"kind\":\"invalid-lock-file\"").contains("truncated");
  }

  @Test
  void aLockFileHoldsUntilAnAdapterChanges() throws IOException {
    String lock = folder.resolve("nola.lock").toString();
    assertThat(Nola.run("lock", adapter, "-o", lock).exitCode()).isZero();
    assertThat(Nola.run("lock", adapter, "-o", lock).out())
        .as("locked again in place of itself")
        .hasLineCount(1);
    Nola holds = Nola.run("verify", "--lock", lock);
    assertThat(holds.err()).isEmpty();
    assertThat(holds.exitCode()).isZero();
    assertThat(holds.out()).startsWith("verified a.nola\n").contains("ok     backends agree");

    Files.delete(Path.of(adapter));
    synth("a.nola", "2");
    Path junit = folder.resolve("report.xml");
    Path summary = Files.writeString(folder.resolve("summary.md"), "before\n");
    Nola fails =
        Nola.run(
            "verify",
            "--lock",
            lock,
            "--json",
            "--junit",
            junit.toString(),
            "--summary",
            summary.toString());
    assertThat(fails.exitCode()).isEqualTo(1);
    assertThat(fails.json().get("ok").asBoolean()).isFalse();
    assertThat(junit).content().contains("<failure message=\"expected=sha256:");
    assertThat(summary)
        .content()
        .startsWith("before\n### nola verify --lock")
        .contains("**failed**");
  }

  @Test
  void lockKeepsTheOrderAndSaysWhatChanged() throws IOException {
    String lock = folder.resolve("nola.lock").toString();
    String second = synth("b.nola", "2");
    String third = synth("c.nola", "3");
    Nola.run("lock", second, adapter, third, "-o", lock);
    synth("a.nola", "4");
    assertThat(Nola.run("lock", adapter, second, "-o", lock).out().lines())
        .satisfiesExactly(
            line -> assertThat(line).startsWith("locked a.nola sha256:"),
            line -> assertThat(line).startsWith("unchanged b.nola sha256:"));
    assertThat(Nola.run("verify", "--lock", lock).out().lines())
        .filteredOn(line -> line.startsWith("verified"))
        .containsExactly("verified b.nola", "verified a.nola", "verified c.nola");
  }

  @Test
  void lockFileIsNotVerifiedOffline() {
    Nola refused = Nola.run("verify", "--lock", "nola.lock", "--offline");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err()).contains("--offline does not go with --lock");
  }

  @Test
  void outputIsRefusedBeforeTheWork_thatCannotBeWritten() {
    List<String[]> commands =
        List.of(
            new String[] {"reconstruct", "none.nola"},
            new String[] {"export", "none.nola"},
            new String[] {"merge", "--base", "none", "--adapter", "none.nola"},
            new String[] {"dequantize", "none.gguf"},
            new String[] {"import-peft", "none"},
            new String[] {"synth", "--base", "none", "--targets", "q"},
            new String[] {"pull", "acme/none"},
            new String[] {"lock", "none.nola"});
    String missing = folder.resolve("no/such/file").toString();
    for (String[] command : commands) {
      List<String> args = new ArrayList<>(List.of(command));
      args.addAll(List.of("-o", missing));
      Nola refused = Nola.run(args.toArray(String[]::new));
      assertThat(refused.err()).as(command[0]).contains("its parent folder does not exist");
      args.set(args.size() - 1, "-");
      refused = Nola.run(args.toArray(String[]::new));
      assertThat(refused.exitCode()).as(command[0]).isEqualTo(2);
      assertThat(refused.err())
          .as(command[0])
          .contains("'-' is stdout, where results are printed; must be a file or folder");
    }
    Nola refused = Nola.run("verify", "--lock", "none", "--junit", "-");
    assertThat(refused.err()).contains("'--junit'").contains("'-' is stdout");
  }

  @Test
  void attestationsOfALocalFileCannotBeRequired() {
    Path lock = folder.resolve("nola.lock");
    for (String[] option : new String[][] {{"--require-verified", "1"}, {"--key", KEY}}) {
      Nola refused = Nola.run("lock", adapter, "-o", lock.toString(), option[0], option[1]);
      assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(refused.err()).contains("apply to references only").contains(adapter);
      assertThat(lock).doesNotExist();
    }
  }

  @Test
  void keysWithoutRequiredAttestationsAreRefused() {
    Nola refused = Nola.run("pull", "acme/mood", "--key", KEY, "--require-verified", "0");
    assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(refused.err())
        .contains("invalid --require-verified: 0; must be at least 1 with --key");
  }

  @Test
  void nobodyAttestsAFile() {
    Nola refused = Nola.run("verify", adapter, "--require-verified", "1");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err()).contains("--require-verified and --key apply to references only");
    Nola noKey = Nola.run("pull", "acme/mood", "--key", "sha256:k");
    assertThat(noKey.exitCode()).isEqualTo(2);
    assertThat(noKey.err()).contains("sha256:k");
    Nola noLock = Nola.run("lock", adapter, "-o", folder.resolve("l").toString(), "--key", "k");
    assertThat(noLock.exitCode()).isEqualTo(2);
  }

  @Test
  void verifyTakesAnAdapterOrALockFile() {
    assertThat(Nola.run("verify").exitCode()).isEqualTo(2);
    assertThat(Nola.run("verify", adapter, "--lock", "x").exitCode()).isEqualTo(2);
    Nola refused = Nola.run("verify", adapter, "--junit", "x");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err())
        .startsWith("nola verify: --junit, --summary and --allow-yanked require --lock");
  }

  @Test
  void whatIsNeitherFileNorReferenceIsSaidToBe() {
    Nola refused = Nola.run("verify", "Nothing Here");
    assertThat(refused.exitCode()).isEqualTo(3);
    assertThat(refused.err())
        .isEqualTo(
            "nola verify: Nothing Here: no such file, and not a reference such as"
                + " acme/mood@1.2.0\n");
  }

  @Test
  void aRegistryThatIsNotThereIsNamed() {
    Nola refused = Nola.run("search", "--registry", "http://127.0.0.1:1", "--json");
    assertThat(refused.exitCode()).isEqualTo(4);
    assertThat(refused.json().get("kind").asString()).isEqualTo("unavailable");
    assertThat(refused.err()).contains("http://127.0.0.1:1").hasLineCount(1);
  }

  @Test
  void aRegistryWithoutASchemeIsNamed() {
    Nola refused = Nola.run("search", "--registry", "127.0.0.1:18400");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err())
        .isEqualTo(
            "nola search: invalid --registry: 127.0.0.1:18400; must be a URL such as"
                + " https://nola.example\n");
  }

  @Test
  void completionIsAScript() {
    assertThat(Nola.run("completion").out())
        .startsWith("#!/usr/bin/env bash")
        .contains("--skip-base-check", "serve", "import-wordnet")
        .doesNotContain("YOUR_APP_HOME");
  }

  @ParameterizedTest
  @CsvSource({
    "trian, train",
    "improt-peft, import-peft",
    "sereve, serve",
    "verfy, verify",
  })
  void commandThatWasMeantIsSuggested_alsoOneOfTheLauncher(String unknown, String meant) {
    String hint = "nola: unknown command: %s; did you mean %s?".formatted(unknown, meant);
    assertThat(Nola.run(unknown).err()).startsWith(hint);
    assertThat(Nola.run("help", unknown).err()).contains("; did you mean " + meant + "?");
  }

  @Test
  void optionThatWasMeantIsSuggested() {
    assertThat(Nola.run("inspect", "--jsno", "a.nola").err())
        .startsWith("nola inspect: unknown option: --jsno; did you mean --json?");
    assertThat(Nola.run("inspect", "--frobnicate", "a.nola").err()).doesNotContain("did you mean");
  }

  @Test
  void completionKnowsTheOptionsOfTheLauncherAndLeavesFilesToTheShell() throws Exception {
    String nola = folder.resolve("nola").toString();
    Files.writeString(folder.resolve("completion"), Nola.run("completion").out());
    Files.writeString(
        folder.resolve("nola"),
        "#!/bin/sh\n"
            + "echo 'Usage: nola train [-hq] -o=FILE'; echo '  -o, --output=FILE  The file.'\n");
    Files.setPosixFilePermissions(
        folder.resolve("nola"), PosixFilePermissions.fromString("rwxr-xr-x"));
    String script =
        """
        source %s
        compopt() { files="$*"; }
        complete() { files=; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _complete_nola; echo "${COMPREPLY[*]}:$files"; }
        complete %s train --o
        complete %s train job
        complete %s verify --jun
        complete %s inspect a
        """
            .formatted(folder.resolve("completion"), nola, nola, nola, nola);
    Process bash = new ProcessBuilder("bash", "-c", script).redirectErrorStream(true).start();
    String output = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(output.lines())
        .containsExactly("--output:", ":", "--junit:+o default", ":-o default");
  }

  private String complete(String... words) throws Exception {
    Path completion = folder.resolve("completion");
    Files.writeString(completion, Nola.run("completion").out());
    String script =
        """
        source %s
        compopt() { :; }
        COMP_WORDS=(nola "$@"); COMP_CWORD=$#; _complete_nola; echo "${COMPREPLY[*]}"
        """
            .formatted(completion);
    List<String> command = new ArrayList<>(List.of("bash", "-c", script, "bash"));
    command.addAll(List.of(words));
    Process bash = new ProcessBuilder(command).redirectErrorStream(true).start();
    return new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
  }

  @ParameterizedTest
  @CsvSource({
    "job list --state '', queued running succeeded failed cancelled",
    "job list --state = '', queued running succeeded failed cancelled",
    "job list --state =, queued running succeeded failed cancelled",
    "job list --state = qu, queued",
    "job list --state = queued --typ, --type",
    "token create --scope re, read",
    "export --task SEQ_C, SEQ_CLS",
    "export --format '', peft gguf mlx onnx_adapter",
    "export --dtype '', f32 f16 bf16",
    "synth --generator philox-s, philox-srht",
    "search --generator ident, identity",
    "verify --backend v, vector",
    "help job su, submit",
    "help jo, job",
    "help trai, train",
    "help job submit '', ''",
    "job retry --ver, ''",
  })
  void completionOffersTheWordsThatAreAccepted(String line, String words) throws Exception {
    String[] typed = line.replace("'", "").split(" ", -1);
    assertThat(complete(typed)).isEqualTo(words);
  }

  @Test
  void valueThatIsNotInTheListIsRefusedWithTheList() {
    assertThat(Nola.run("job", "list", "--state", "done").err())
        .startsWith(
            "nola job list: invalid --state: done; must be one of queued, running, succeeded,"
                + " failed, cancelled; see");
    assertThat(Nola.run("export", "a", "-o", "b", "--format", "ggml").err())
        .startsWith(
            "nola export: invalid --format: ggml; must be one of peft, gguf, mlx, onnx_adapter; see");
  }

  @Test
  void versionOfACommandIsAnUnknownOption() {
    assertThat(Nola.run("job", "retry", new UUID(1, 1).toString(), "--version", "3.0.1").err())
        .startsWith("nola job retry: unknown option: --version; did you mean --new-version?");
    assertThat(Nola.run("help", "publish").out()).doesNotContain("--version");
  }

  @Test
  void helpIsOfTheCommandNamed_atAnyDepth() {
    assertThat(Nola.run("help", "job", "submit").out()).startsWith("Usage: nola job submit ");
    assertThat(Nola.run("help", "job").out()).startsWith("Usage: nola job ");
    assertThat(Nola.run("help").out()).startsWith("Usage: nola ").contains("Train an adapter");
    Nola misspelled = Nola.run("help", "job", "sumbit");
    assertThat(misspelled.exitCode()).isEqualTo(2);
    assertThat(misspelled.err())
        .startsWith("nola job: unknown command: sumbit; did you mean submit?");
    assertThat(Nola.run("help", "job", "fly").err())
        .startsWith("nola job: unknown command: fly; must be one of submit, list, show, logs,");
    assertThat(Nola.run("help", "inspect", "x").err())
        .startsWith("nola inspect: unexpected argument: x; see nola inspect --help");
  }

  @Test
  void helpHasALineForEachCommandOfTheLauncher() {
    assertThat(Nola.run("--help").out().lines().map(line -> line.strip().split(" ")[0]))
        .containsAll(LauncherCommands.all().keySet())
        .contains("inspect");
  }

  @Test
  void stackTracesAreShownWithDebugOnly() {
    assertThat(Nola.run("verify", "none.nola").err()).doesNotContain("at dev.nola");
    assertThat(Nola.run("verify", "none.nola", "--debug").err()).contains("at dev.nola");
  }

  @Test
  void usageErrorOfEveryCommandIsOneJsonDocument() {
    List<CommandLine> commands = new ArrayList<>();
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    Console console = new Console(nowhere, nowhere, InputStream.nullInputStream(), Map.of(), false);
    collect(new CommandLine(new Main(console)), commands);
    for (CommandLine command : commands) {
      List<String> args =
          new ArrayList<>(List.of(command.getCommandSpec().qualifiedName().split(" ")));
      args.removeFirst();
      args.addAll(List.of("--version", "--json"));
      Nola refused = Nola.run(args.toArray(String[]::new));
      assertThat(refused.exitCode()).as("%s", args).isEqualTo(2);
      assertThat(refused.json().get("ok").asBoolean()).as("%s", args).isFalse();
      assertThat(refused.json().get("kind").asString()).as("%s", args).isEqualTo("usage");
      assertThat(refused.err()).as("%s", args).contains("unknown option: --version");
    }
  }

  @Test
  void everyCommandHasJsonQuietAndADescription() {
    List<CommandLine> commands = new ArrayList<>();
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    Console console = new Console(nowhere, nowhere, InputStream.nullInputStream(), Map.of(), false);
    collect(new CommandLine(new Main(console)), commands);
    assertThat(commands).hasSizeGreaterThan(20);
    for (CommandLine command : commands) {
      String name = command.getCommandSpec().qualifiedName();
      assertThat(command.getCommandSpec().usageMessage().description()).as(name).isNotEmpty();
      assertThat(command.getCommandSpec().findOption("--json")).as(name).isNotNull();
      assertThat(command.getCommandSpec().findOption("--quiet")).as(name).isNotNull();
      assertThat(command.getCommandSpec().findOption("--help")).as(name).isNotNull();
    }
  }

  /** All that do something, which those with subcommands leave to these. */
  private static void collect(CommandLine command, List<CommandLine> commands) {
    for (CommandLine sub : command.getSubcommands().values()) {
      if (!sub.getSubcommands().isEmpty()) {
        collect(sub, commands);
      } else if (!(sub.getCommand() instanceof HelpCommand)) {
        commands.add(sub);
      }
    }
  }
}
