package dev.nola.trainer.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.generator.Generator;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.data.DataFiles.Layout;
import dev.nola.trainer.image.ImageSettings;
import dev.nola.trainer.image.Resampling;
import dev.nola.trainer.image.Size;
import dev.nola.trainer.method.Recipe;
import dev.nola.trainer.method.Scaling;
import dev.nola.trainer.method.View;
import dev.nola.trainer.model.Adaptable;
import dev.nola.trainer.model.BaseType;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Networks;
import dev.nola.trainer.model.ResNet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobFileTest {
  /** The smallest job. */
  private static final String LANGUAGE_MODEL =
      """
      model: {base: llama}
      task: causal-lm
      data: {format: e2e, train: a.txt, validation: b.txt}
      method: {name: nola}
      optimizer: {learningRate: 0.01}
      run: {steps: 10}
      """;

  private static final String MNIST =
      """
      model: {mlp: [784, 32, 10]}
      task: classification
      data: {format: idx, train: a, validation: b, trainLabels: c, validationLabels: d}
      method: {name: pranc}
      optimizer: {learningRate: 0.01}
      run: {epochs: 3, batch: 64}
      """;

  @TempDir private Path folder;

  private TrainingJob read(String yaml) throws IOException {
    Path file = folder.resolve("job.yaml");
    Files.writeString(file, yaml);
    return JobFile.read(file);
  }

  private List<String> problems(String yaml) {
    JobFileException e = catchThrowableOfType(JobFileException.class, () -> read(yaml));
    assertThat(e).as(yaml).isNotNull();
    assertThat(e).hasMessageContaining(folder.resolve("job.yaml").toString());
    e.problems().forEach(problem -> assertThat(e).hasMessageContaining(problem));
    return e.problems();
  }

  /** Returns the problems after a change to a valid job. */
  private List<String> problemsWith(String sound, String replaced, String replacement) {
    assertThat(sound).contains(replaced);
    return problems(sound.replace(replaced, replacement));
  }

  @Test
  void missingKeysHaveTheirDefaults() throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL);
    assertThat(job.recipe().size()).isEqualTo(new Recipe.Size(View.LAYER, 16, 64, 64));
    assertThat(job.recipe().targets().pattern()).isEqualTo("\\.weight$");
    assertThat(job.recipe().scaling()).isEqualTo(Scaling.of(1));
    assertThat(job.recipe().training().rounding().bits()).isZero();
    assertThat(job.run().microBatch()).isEqualTo(job.run().batch()).isEqualTo(8);
    assertThat(job.run().steps(1)).isEqualTo(10);
    assertThat(job.data().selection().trainExamples()).isEqualTo(Integer.MAX_VALUE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tiny     | _proj  | 32  | 4 | 0 | 0",
        "small    | \\.weight$ | 64  | 4 | 0 | 0",
        "standard | \\.weight$ | 128 | 4 | 0 | 0",
        "best     | \\.weight$ | 512 | 2 | 2 | 0.75",
      })
  void presetSetsSizes(String preset, String targets, int k, int bits, int roundedBits, double from)
      throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL.replace("nola}", "nola, preset: " + preset + "}"));
    assertThat(job.recipe().targets().pattern()).contains(targets);
    assertThat(job.recipe().size()).isEqualTo(new Recipe.Size(View.LAYER, 16, k, k));
    assertThat(job.storage().bits()).isEqualTo(bits);
    assertThat(job.recipe().training().rounding())
        .isEqualTo(new Recipe.Rounding(roundedBits, from));
  }

  @Test
  void keysTakePrecedenceOverThePreset() throws IOException {
    String keys = "nola, preset: best, targets: qv, rank: 4, k: 8, l: 9, bits: 3,";
    TrainingJob job =
        read(LANGUAGE_MODEL.replace("nola}", keys + " quantizationAware: {from: 0.5}}"));
    assertThat(job.recipe().targets().pattern()).contains("q_proj");
    assertThat(job.recipe().size()).isEqualTo(new Recipe.Size(View.LAYER, 4, 8, 9));
    assertThat(job.storage().bits()).isEqualTo(3);
    assertThat(job.recipe().training().rounding()).isEqualTo(new Recipe.Rounding(3, 0.5));
  }

  @Test
  void learningRateAndWarmupHaveDefaultsWithNola() throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL.replace("optimizer: {learningRate: 0.01}\n", ""));
    assertThat(job.optimizer().learningRate()).isEqualTo(0.1);
    assertThat(job.schedule(200).warmup()).isEqualTo(6);
    assertThat(job.schedule(20).warmup()).isZero();
    assertThat(job.canonical()).contains("\"warmup\":[\"share\",0.03]");
    TrainingJob lora = read(LANGUAGE_MODEL.replace("nola}", "lora}"));
    assertThat(lora.schedule(200).warmup()).isZero();
    assertThat(lora.canonical()).contains("\"warmup\":0");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lora                      | when method.name is not nola",
        "pranc                     | when method.name is not nola",
        "full                      | when method.name is not nola",
        "nola, scaling: {paper: 1} | with the paper's method.scaling",
      })
  void learningRateIsRequiredOfOtherMethods(String method, String reason) {
    String job = LANGUAGE_MODEL.replace("optimizer: {learningRate: 0.01}\n", "");
    assertThat(problemsWith(job, "nola}", method + "}"))
        .containsExactly("optimizer.learningRate is missing; must be a number above 0 " + reason);
  }

  @Test
  void scalingOfLoraIsTwiceTheRank() throws IOException {
    assertThat(read(LANGUAGE_MODEL.replace("nola}", "lora, rank: 4}")).recipe().scaling().c())
        .isEqualTo(8);
    assertThat(read(LANGUAGE_MODEL.replace("nola}", "lora, scaling: 3}")).recipe().scaling().c())
        .isEqualTo(3);
  }

  @Test
  void loraHasTheIdentityBasis_and16Bits() throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL.replace("nola}", "lora}"));
    assertThat(job.recipe().bases().generator()).isEqualTo(Generator.IDENTITY);
    assertThat(job.storage().bits()).isEqualTo(16);
    assertThat(job.recipe().training().rounding().bits()).isZero();
    TrainingJob aware =
        read(LANGUAGE_MODEL.replace("nola}", "lora, bits: 4, quantizationAware: true}"));
    assertThat(aware.storage().bits()).isEqualTo(4);
    assertThat(aware.recipe().training().rounding().bits()).isEqualTo(4);
    assertThat(read(LANGUAGE_MODEL).storage().bits()).isEqualTo(4);
  }

  @Test
  void networkIsTrainedFromScratchOnImages_asNearlySquare() throws IOException {
    String network = MNIST.replace("mlp: [784, 32, 10]", "network: resnet20");
    TrainingJob job = read(network.replace("format: idx", "format: idx, crop: 24, flip: true"));
    assertThat(job.model()).isEqualTo(new TrainingJob.Source.Residual(ResNet.Kind.RESNET20));
    assertThat(job.data().layout())
        .isEqualTo(
            new Layout.Idx(
                folder.resolve("c"),
                folder.resolve("d"),
                new ImageSettings(
                    null, null, new ImageSettings.Cropping(24, false, 0), true, null, null)));
    assertThat(job.canonical()).contains("\"network\":\"resnet20\"", "\"crop\":24");
    assertThat(
            problemsWith(
                network,
                "format: idx, train: a, validation: b, trainLabels: c, validationLabels: d",
                "format: tsv, train: a, validation: b"))
        .containsExactly("model.network is trained on images; data.format must be idx or images");
    assertThat(problemsWith(network, "name: pranc", "name: head"))
        .containsExactly(
            "method.name=head does not apply to model.network, of which all is trained");
    assertThat(problemsWith(network, "network: resnet20", "network: resnet20, mlp: [784, 10]"))
        .contains("only one of model.base, model.mlp and model.network may be set");
  }

  @Test
  void folderOfImages_hasTheSettingsOfItsKeys() throws IOException {
    String images =
        MNIST
            .replace("mlp: [784, 32, 10]", "base: vit")
            .replace(
                "format: idx, train: a, validation: b, trainLabels: c, validationLabels: d",
                "format: images, train: a, validationShare: 0.1, resize: [32, 48], filter: bicubic,"
                    + " crop: 24, randomCrop: true, padding: 2, mean: 0.5, std: [0.1, 0.2, 0.3]");
    assertThat(read(images).data().layout())
        .isEqualTo(
            new Layout.ImageFolder(
                new ImageSettings(
                    new Size.Exact(32, 48),
                    Resampling.BICUBIC,
                    new ImageSettings.Cropping(24, true, 2),
                    false,
                    List.of(0.5),
                    List.of(0.1, 0.2, 0.3))));
    assertThat(read(images).metadata().task()).isEqualTo("image-classification");
    assertThat(problemsWith(images, "[32, 48]", "[32]"))
        .containsExactly(
            "invalid data.resize: [32]; must be a whole number, 1 or more, or [HEIGHT, WIDTH]");
    assertThat(problemsWith(images, "std: [0.1, 0.2, 0.3]", "std: [0.1, 0]"))
        .containsExactly("invalid data.std: [0.1,0]; must be a number above 0, or a list of three");
  }

  @Test
  void mlpIsTrainedFromScratchOnImages() throws IOException {
    TrainingJob job = read(MNIST);
    assertThat(job.model()).isEqualTo(new TrainingJob.Source.FromScratch(List.of(784, 32, 10)));
    assertThat(job.data().layout())
        .isEqualTo(new Layout.Idx(folder.resolve("c"), folder.resolve("d"), null));
    assertThat(job.run().steps(65)).isEqualTo(6);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "quantizationAware: true              | 4 | 0",
        "quantizationAware: {from: 0}         | 4 | 0",
        "quantizationAware: {from: 0.75}      | 4 | 0.75",
        "quantizationAware: false             | 0 | 0",
      })
  void roundingMayStartLater(String key, int bits, double from) throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL.replace("nola}", "nola, bits: 4, " + key + "}"));
    assertThat(job.recipe().training().rounding()).isEqualTo(new Recipe.Rounding(bits, from));
    assertThat(job.canonical().contains("quantizationAwareFrom")).isEqualTo(from > 0);
  }

  @Test
  void stepsRoundFromTheirShareOn() {
    Recipe.Rounding later = new Recipe.Rounding(4, 0.75);
    assertThat(later.bits(75, 100)).isEqualTo(16);
    assertThat(later.bits(76, 100)).isEqualTo(4);
    assertThat(Recipe.Rounding.always(4).bits(1, 100)).isEqualTo(4);
    assertThat(Recipe.Rounding.NONE.bits(100, 100)).isEqualTo(16);
  }

  @Test
  void scalingMayBeThePapers() throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL.replace("nola}", "nola, scaling: {paper: 0.5}}"));
    assertThat(job.recipe().scaling()).isEqualTo(new Scaling(0.5, true));
    assertThat(job.canonical()).contains("\"scaling\":[\"paper\",0.5]");
    assertThat(read(LANGUAGE_MODEL.replace("nola}", "nola, scaling: 0.5}")).canonical())
        .contains("\"scaling\":0.5");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nola, scaling: {paper: 0}      | invalid method.scaling: {\"paper\":0}; must be a number above"
            + " 0, or {paper: NUMBER}",
        "nola, scaling: {papers: 1}     | invalid method.scaling: {\"papers\":1}; must be a number"
            + " above 0, or {paper: NUMBER}",
        "nola, quantizationAware: {from: 1} | invalid method.quantizationAware: {\"from\":1}; must be"
            + " true, false, or {from: SHARE} with a share from 0 to below 1",
        "lora, scaling: {paper: 1}      | method.scaling with paper applies only when method.name is"
            + " nola",
      })
  void invalidMapping_isNamedWithItsRule(String method, String problem) {
    assertThat(problemsWith(LANGUAGE_MODEL, "nola}", method + "}")).containsExactly(problem);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mlp  | nola, k: 8, l: 8               | SQUARE",
        "mlp  | nola, view: layer, k: 8, l: 8  | LAYER",
        "mlp  | lora                           | SQUARE",
        "base | nola                           | LAYER",
        "base | nola, view: square             | SQUARE",
        "base | lora                           | LAYER",
      })
  void networksFromScratch_areViewedAsSquare(String model, String method, View view)
      throws IOException {
    TrainingJob job =
        read(
            model.equals("mlp")
                ? MNIST.replace("pranc", method)
                : LANGUAGE_MODEL.replace("nola}", method + "}"));
    assertThat(job.recipe().size().view()).isEqualTo(view);
    assertThat(job.canonical().contains("\"view\":\"square\"")).isEqualTo(view == View.SQUARE);
  }

  @Test
  void baseOf8Bits_isCheckpointedAndPartOfTheDigest() throws IOException {
    TrainingJob exact = read(LANGUAGE_MODEL);
    assertThat(exact.run().compute().gradientCheckpointing()).isFalse();
    assertThat(exact.canonical()).doesNotContain("baseType");
    TrainingJob rounded =
        read(LANGUAGE_MODEL.replace("{base: llama", "{baseType: int8, base: llama"));
    assertThat(rounded.run().compute().gradientCheckpointing()).isTrue();
    assertThat(rounded.canonical()).contains("\"baseType\":\"int8\"");
    assertThat(
            read(LANGUAGE_MODEL.replace("run: {", "run: {gradientCheckpointing: true, ")).digest())
        .isEqualTo(exact.digest());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "name: nola | name: full | model.baseType=int8 does not apply to method.name full, which"
            + " trains the base itself",
        "run: {     | run: {gradientCheckpointing: false, | run.gradientCheckpointing=false does not"
            + " apply to model.baseType int8, whose f32 copies would all be in memory at once",
      })
  void whatContradictsABaseOf8Bits_isRefused(String old, String replacement, String problem) {
    String rounded = LANGUAGE_MODEL.replace("{base: llama", "{baseType: int8, base: llama");
    assertThat(problemsWith(rounded, old, replacement)).containsExactly(problem);
  }

  @Test
  void pathsAreRelativeToTheFile() throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL.replace("a.txt", "../x/a.txt").replace("b.txt", "/y/b"));
    assertThat(job.data().train()).isEqualTo(folder.resolve("../x/a.txt"));
    assertThat(job.data().validation()).isEqualTo(new DataFiles.Validation.File(Path.of("/y/b")));
    assertThat(job.model())
        .isEqualTo(new TrainingJob.Source.PreTrained(folder.resolve("llama"), "", BaseType.F32));
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "9223372036854775808, -9223372036854775808", "18446744073709551615, -1"})
  void seedHas64Bits(String seed, long bits) throws IOException {
    assertThat(read(LANGUAGE_MODEL + "seed: " + seed).recipe().bases().seed()).isEqualTo(bits);
  }

  @ParameterizedTest
  @CsvSource({"1e-3", "1.0e-3", "1.0E-3", "0.001", ".001"})
  void numbersMayHaveExponents(String number) throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL.replace("learningRate: 0.01", "learningRate: " + number));
    assertThat(job.optimizer().learningRate()).isEqualTo(1e-3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "steps: 10        | steps: -1          | invalid run.steps: -1; must be a whole number, 1"
            + " or more",
        "steps: 10        | steps: '10'        | invalid run.steps: \"10\"; must be a whole number,"
            + " 1 or more",
        "steps: 10        | steps: 10.0        | invalid run.steps: 10.0; must be a whole number, 1"
            + " or more",
        "steps: 10        | steps: 99999999999 | invalid run.steps: 99999999999; must be a whole"
            + " number, 1 or more",
        "name: nola       | name: nola, bits: 17 | invalid method.bits: 17; must be a whole number,"
            + " 1 to 16",
        "name: nola       | name: NOLA         | invalid method.name: \"NOLA\"; must be nola,"
            + " pranc, lora, full or head",
        "name: nola       | name: nola, targets: '(' | invalid method.targets: \"(\"; must be qv,"
            + " mlp, all-linear or an RE2 pattern",
        "name: nola       | name: nola, quantizationAware: 1 | invalid method.quantizationAware: 1;"
            + " must be true, false, or {from: SHARE} with a share from 0 to below 1",
        "Rate: 0.01       | Rate: .nan         | invalid optimizer.learningRate: \"NaN\"; must be a"
            + " number above 0",
        "Rate: 0.01       | Rate: 0            | invalid optimizer.learningRate: 0; must be a"
            + " number above 0",
        "Rate: 0.01       | Rate: 1, beta1: 1  | invalid optimizer.beta1: 1; must be a number from"
            + " 0 to below 1",
        "train: a.txt     | train:             | invalid data.train: null; must be a path",
        "train: a.txt     | train: \"\\0\"     | invalid data.train: \"\\u0000\"; must be a path",
        "method: {name: nola} | method: nola   | invalid method: \"nola\"; must be a mapping of"
            + " keys to values",
        "{base: llama}    | {}                 | model.base, model.mlp or model.network is missing",
        "{steps: 10}      | {steps: 9, epochs: 1} | only one of run.steps and run.epochs may be"
            + " set",
        "train: a.txt,    | ''                 | data.train is missing; must be a path",
        "name: nola       | name: lora, k: 3   | method.k applies only when method.name is nola or"
            + " pranc",
        "name: nola       | name: lora, generator: philox-srht | method.generator applies only when"
            + " method.name is nola or pranc",
        "name: nola       | name: nola, generator: identity | invalid method.generator:"
            + " \"identity\"; must be philox-uniform24, philox-uniform8, philox-rademacher or"
            + " philox-srht",
        "format: e2e      | format: tsv        | invalid data.format: tsv; must be e2e, jsonl, csv,"
            + " text or chat for task causal-lm",
        "name: nola       | name: head         | method.name=head does not apply to task causal-lm,"
            + " which adds no head",
        "steps: 10        | steps: 9, microBatch: 9 | invalid run.microBatch: 9; must be at most"
            + " run.batch, 8",
        "Rate: 0.01       | Rate: 1, warmup: 11 | invalid optimizer.warmup: 11; must be at most"
            + " run.steps, 10",
        "name: nola       | name: nola, k: 1073741825 | invalid method.k: 1073741825; must be at"
            + " most 1073741824 for philox-srht",
        "name: nola       | name: nola, l: 8193, generator: philox-uniform24 | invalid method.l:"
            + " 8193; must be at most 8192 for philox-uniform24",
        "name: nola       | name: pranc, k: 538984513, generator: philox-uniform8 | invalid"
            + " method.k: 538984513; must be at most 538984512 for philox-uniform8",
        "name: nola       | name: nola, rank: 1073741825 | invalid method.rank: 1073741825; must be"
            + " at most 1073741824 for the elements of a factor",
      })
  void invalidKeyOrValue_isNamedWithItsRule(String sound, String wrong, String problem) {
    assertThat(problemsWith(LANGUAGE_MODEL, sound, wrong)).containsExactly(problem);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // 32·8 elements of A and 784·8 of B; then 10·8 and 32·8
        "nola, rank: 8, view: layer, k: 64, l: 256 |",
        "nola, rank: 8, view: layer, k: 65, l: 256 | invalid method.k: 65; must be at most 64 for philox-srht and a"
            + " factor of 80 elements, of the layer 32 to 10 of model.mlp",
        "nola, rank: 8, view: layer, k: 64, l: 257 | invalid method.l: 257; must be at most 256 for philox-srht and a"
            + " factor of 256 elements, of the layer 32 to 10 of model.mlp",
        // 128×196 and 16×20: 16·8 elements of A, 20·8 of B
        "nola, rank: 8, k: 128, l: 128 |",
        "nola, rank: 8, k: 129, l: 128 | invalid method.k: 129; must be at most 128 for philox-srht and a"
            + " factor of 128 elements, of the layer 32 to 10 of model.mlp",
        "nola, rank: 8, k: 128, l: 129 | invalid method.l: 129; must be at most 128 for philox-srht and a"
            + " factor of 160 elements, of the layer 32 to 10 of model.mlp",
        "nola, k: 3000, l: 3000, generator: philox-rademacher |",
        "pranc, k: 256       |",
        "pranc, k: 257       | invalid method.k: 257; must be at most 256 for philox-srht and a"
            + " factor of 320 elements, of the layer 32 to 10 of model.mlp",
        "lora, view: layer, rank: 2739137 |",
        "lora, view: layer, rank: 2739138 | invalid method.rank: 2739138; must be at most 2739137 for the layer"
            + " 784 to 32 of model.mlp",
      })
  void factorsOfAnMlp_areWithinTheFormatsLimits(String method, @Nullable String problem)
      throws IOException {
    String job = MNIST.replace("pranc", method);
    if (problem == null) {
      assertThat(read(job).recipe()).isNotNull();
    } else {
      assertThat(problems(job)).containsExactly(problem);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "sed: 3, sed, seed",
    "rank: 3, rank, method.rank",
    "datta: {train: x}, datta, data",
    "run.batch: 3, run.batch, run.batch",
    "7: 3, 7, method.k",
    "lr: 3, lr, optimizer.learningRate",
    "learning_rate: 3, learning_rate, optimizer.learningRate",
    "lora_alpha: 3, lora_alpha, method.scaling",
    "per_device_train_batch_size: 3, per_device_train_batch_size, run.batch",
  })
  void unknownKey_isNamedWithTheNearestOne(String line, String key, String nearest) {
    assertThat(problems(LANGUAGE_MODEL + line))
        .containsExactly("unknown key %s; did you mean %s?".formatted(key, nearest));
  }

  @Test
  void unknownKey_isNamedWithItsGroup() {
    assertThat(problemsWith(LANGUAGE_MODEL, "{steps:", "{bach: 3, steps:"))
        .containsExactly("unknown key run.bach; did you mean run.batch?");
  }

  @Test
  void modelAndDataOfDifferentKinds_areRefused() {
    assertThat(problemsWith(MNIST, "format: idx", "format: idx, flip: true"))
        .containsExactly("data.flip does not apply to model.mlp, which reads pixels as they are");
    assertThat(problemsWith(MNIST, "mlp: [784, 32, 10]", "mlp: [784]"))
        .containsExactly(
            "invalid model.mlp: [784]; must be a list of two or more whole numbers, all of them"
                + " positive");
    assertThat(problemsWith(LANGUAGE_MODEL, "base: llama", "mlp: [784, 784]"))
        .containsExactly("model.mlp is trained on features; data.format must be idx");
  }

  @Test
  void allProblemsAreNamedAtOnce() {
    assertThat(problems("model: {base: 3}\ntask: chess\nfoo: {bar: 1}\nmethod: {name: nola, k: 0}"))
        .containsExactly(
            "unknown key foo; trainer-worker/README.md lists all keys",
            "invalid model.base: 3; must be a path",
            "invalid task: \"chess\"; must be causal-lm or classification",
            "invalid method.k: 0; must be a whole number, 1 or more",
            "data.validation or data.validationShare is missing",
            "run.steps or run.epochs is missing",
            "data.format is missing; must be e2e, jsonl, tsv, csv, text, chat, idx or images",
            "data.train is missing; must be a path");
  }

  @Test
  void metadataThatTheFormatRefuses_isRefused() {
    assertThat(problems(LANGUAGE_MODEL + "metadata: {tags: ['']}"))
        .singleElement()
        .asString()
        .startsWith("metadata: empty tag");
  }

  @Test
  void invalidYaml_isNamedWithItsLine() {
    assertThat(problems(LANGUAGE_MODEL + "seed: 1\nseed: 2"))
        .containsExactly("line 8: invalid YAML: found duplicate key seed");
    assertThat(problems("a: [")).singleElement().asString().startsWith("line 1: invalid YAML: ");
    assertThat(problems("a: 1\n---\nb: 2")).singleElement().asString().contains("invalid YAML");
    assertThat(problems("a: \u0001")).singleElement().asString().contains("invalid YAML");
    assertThat(problems("")).containsExactly("must be a mapping of keys to values");
    assertThat(problems("[1]")).containsExactly("must be a mapping of keys to values");
  }

  @Test
  void hostileJobFile_isRefused() {
    assertThat(problems("a: !!java.net.URL [http://localhost]"))
        .singleElement()
        .asString()
        .contains("Global tag is not allowed: tag:yaml.org,2002:java.net.URL");
    assertThat(problems("a: &x [1]\nb: *x")).singleElement().asString().contains("aliases");
    assertThat(problems("a: &x [*x]")).singleElement().asString().contains("aliases");
    assertThat(problems("a: " + "[".repeat(20_000))).singleElement().asString().contains("epth");
    assertThat(problems("#".repeat(JobFile.MAX_BYTES + 1)))
        .containsExactly("has more than 65,536 bytes, the limit");
    assertThat(problems("\"\\e[2J\": 1"))
        .first()
        .asString()
        .startsWith("unknown key \"\\u001B[2J\"; ");
  }

  @Test
  void invalidUtf8_isRefused() throws IOException {
    Path file = folder.resolve("job.yaml");
    Files.write(file, "task: é".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> JobFile.read(file)).hasMessage(file + ": not valid UTF-8");
    assertThatThrownBy(() -> JobFile.read(folder.resolve("none")))
        .isInstanceOf(NoSuchFileException.class);
  }

  private List<String> targets(String set, Network network) throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL.replace("nola}", "nola, targets: '%s'}".formatted(set)));
    return names(network).stream()
        .filter(name -> job.recipe().targets().matcher(name).find())
        .toList();
  }

  private static List<String> names(Network network) {
    return network.adaptable().stream().map(Adaptable::name).toList();
  }

  @Test
  void targetSetsAreThoseOfTheModel() throws IOException {
    Network llama = Networks.llama();
    Network bert = Networks.bert();
    String block = "model.layers.0.";
    String layer = "encoder.layer.0.";
    assertThat(targets("qv", llama))
        .containsExactly(block + "self_attn.q_proj.weight", block + "self_attn.v_proj.weight");
    assertThat(targets("qv", bert))
        .containsExactly(
            layer + "attention.self.query.weight", layer + "attention.self.value.weight");
    assertThat(targets("mlp", llama))
        .containsExactly(
            block + "mlp.gate_proj.weight",
            block + "mlp.up_proj.weight",
            block + "mlp.down_proj.weight");
    assertThat(targets("mlp", bert))
        .containsExactly(layer + "intermediate.dense.weight", layer + "output.dense.weight");
    Network gpt2 = Networks.gpt2();
    assertThat(targets("qv", gpt2))
        .containsExactly("h.0.attn.q_proj.weight", "h.0.attn.v_proj.weight");
    assertThat(targets("mlp", gpt2))
        .containsExactly("h.0.mlp.c_fc.weight", "h.0.mlp.c_proj.weight");
    assertThat(targets("all-linear", gpt2)).hasSize(6);
    assertThat(targets("all-linear", llama)).isEqualTo(names(llama));
    assertThat(targets("all-linear", bert)).isEqualTo(names(bert));
    assertThat(targets("k_.roj", llama)).containsExactly(block + "self_attn.k_proj.weight");
    assertThat(
            read(MNIST)
                .recipe()
                .targets()
                .matcher(new Mlp(List.of(2, 2)).adaptable().getFirst().name())
                .find())
        .isTrue();
  }

  @Test
  void fullTrainsEveryTensorUnlessTargetsAreNamed() throws IOException {
    String full = LANGUAGE_MODEL.replace("nola}", "full}");
    assertThat(read(full).recipe().targets().matcher("model.norm.weight").find()).isTrue();
    assertThat(read(full).canonical())
        .as("as before full had targets")
        .contains("\"targets\":\"\\\\.(q_proj|v_proj|query|value)\\\\.weight$\"");
    TrainingJob some = read(full.replace("full}", "full, targets: 'layers\\.(10|11)\\.'}"));
    assertThat(some.recipe().targets().matcher("model.layers.11.mlp.down_proj.weight").find())
        .isTrue();
    assertThat(some.recipe().targets().matcher("model.norm.weight").find()).isFalse();
    assertThat(some.canonical()).contains("\"targets\":\"layers");
    assertThat(problems(full.replace("full}", "full, targets: all-linear}")))
        .singleElement()
        .asString()
        .startsWith("method.targets=all-linear does not apply when method.name is full");
  }

  @Test
  void labelsAreSmoothedIfTheJobSaysSo() throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL.replace("steps: 10", "steps: 10, labelSmoothing: 0.1"));
    assertThat(job.objective().labelSmoothing()).isEqualTo(0.1);
    assertThat(job.canonical()).contains("\"labelSmoothing\":0.1");
    assertThat(read(LANGUAGE_MODEL).canonical()).doesNotContain("labelSmoothing");
    assertThat(problemsWith(LANGUAGE_MODEL, "steps: 10", "steps: 10, labelSmoothing: 1"))
        .containsExactly("invalid run.labelSmoothing: 1; must be a number from 0 to below 1");
  }

  @Test
  void seedsOfDataAndInitialValuesAreTheJobs_unlessSet() throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL + "seed: 7");
    assertThat(job.data().selection().seed()).isEqualTo(7);
    assertThat(job.recipe().training().seed()).isEqualTo(7);
    assertThat(job.canonical()).contains("\"seed\":\"7\"").doesNotContain("Seed\"");
    TrainingJob others =
        read(
            LANGUAGE_MODEL
                    .replace("train: a.txt", "train: a.txt, seed: 8")
                    .replace("nola}", "nola, initialSeed: 18446744073709551615}")
                + "seed: 7");
    assertThat(others.recipe().bases().seed()).isEqualTo(7);
    assertThat(others.canonical())
        .contains("\"dataSeed\":\"8\"", "\"initialSeed\":\"18446744073709551615\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "3                        | 7 8 9                   | 7 1007 2007",
        "{samples: 2, starts: 3}  | 7 7 7 8 8 8             | 7 1007 2007 3007 4007 5007",
      })
  void repeatedJobHasTheSeedsOfItsRuns(String repeat, String dataSeeds, String initialSeeds)
      throws IOException {
    String steps = "steps: 10, repeat: " + repeat;
    TrainingJob job = read(LANGUAGE_MODEL.replace("steps: 10", steps) + "seed: 7");
    String[] data = dataSeeds.split(" ");
    String[] initial = initialSeeds.split(" ");
    assertThat(job.run().repeat().runs()).isEqualTo(data.length);
    for (int i = 0; i < data.length; i++) {
      TrainingJob single =
          read(
              LANGUAGE_MODEL
                      .replace("train: a.txt", "train: a.txt, seed: " + data[i])
                      .replace("nola}", "nola, initialSeed: " + initial[i] + "}")
                  + "seed: 7");
      assertThat(job.repetition(i)).isEqualTo(single);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "1001", "{samples: 2}", "{samples: 2, starts: 0}", "{a: 1, b: 2}"})
  void invalidRepeat_isRefused(String repeat) {
    assertThat(problemsWith(LANGUAGE_MODEL, "steps: 10", "steps: 10, repeat: " + repeat))
        .singleElement()
        .asString()
        .endsWith("must be a whole number, 1 to 1000, or {samples: N, starts: M} of such numbers");
  }

  @Test
  void shotsAreOfClasses() throws IOException {
    TrainingJob job = read(MNIST.replace("format: idx", "format: idx, shots: 5"));
    assertThat(job.data().selection().shots()).isEqualTo(5);
    assertThat(job.canonical()).contains("\"shots\":5");
    assertThat(problemsWith(LANGUAGE_MODEL, "format: e2e", "format: e2e, shots: 5"))
        .containsExactly("data.shots applies only when task is classification");
  }

  @Test
  void digestCoversWhatTheResultDependsOn() throws IOException {
    TrainingJob job = read(LANGUAGE_MODEL);
    assertThat(read("# again\n" + LANGUAGE_MODEL.replace("nola}", "nola, rank: 16}")).digest())
        .isEqualTo(job.digest());
    assertThat(
            read(LANGUAGE_MODEL
                    .replace("a.txt", "c.txt")
                    .replace("steps: 10", "steps: 10, threads: 2, evaluateEvery: 3"))
                .digest())
        .isEqualTo(job.digest());
    for (String change : List.of("seed: 1", "metadata: {}\nseed: 2")) {
      assertThat(read(LANGUAGE_MODEL + change).digest()).isNotEqualTo(job.digest());
    }
    for (String change : List.of("steps: 11", "epochs: 10", "steps: 10, batch: 4")) {
      assertThat(read(LANGUAGE_MODEL.replace("steps: 10", change)).digest())
          .isNotEqualTo(job.digest());
    }
    assertThat(job.canonical()).startsWith("{\"batch\":8,\"beta1\":0.9,").doesNotContain(" ");
  }
}
