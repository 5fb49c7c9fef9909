package dev.nola.trainer;

import static dev.nola.trainer.Outcome.nola;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.trainer.job.JobFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TrainCommandTest {
  private static final String NOLA =
      """
      name: nola
      rank: 6
      k: 16
      l: 16
      bits: 4
      """;

  private static final String LORA =
      """
      name: lora
      rank: 4
      bits: 4
      quantizationAware: true
      """;

  @TempDir private Path folder = Path.of("");

  /** The outcome of a command. */
  private Path train(Path job, String name) {
    Path output = folder.resolve(name);
    Outcome trained = nola("train", job.toString(), "-o", output.toString(), "--quiet");
    assertThat(trained.err()).isEmpty();
    assertThat(trained.exitCode()).isZero();
    return output;
  }

  @ParameterizedTest
  @CsvSource({
    "nola, philox-uniform24",
    "nola, philox-uniform8",
    "nola, philox-rademacher",
    "nola, philox-srht",
    "pranc, philox-srht",
    "lora, ",
    "full, ",
    "head, "
  })
  void everyMethodLearnsAndIsEvaluatedFromItsFile(String method, String generator)
      throws IOException {
    StringBuilder lines = new StringBuilder("name: " + method + "\n");
    if (generator != null) {
      lines.append("generator: " + generator + "\nbits: 8\n");
      lines.append(method.equals("nola") ? "k: 16\nl: 16\n" : "k: 40\n");
    }
    lines.append(method.equals("nola") || method.equals("lora") ? "rank: 6\n" : "");
    Path job = Jobs.write(folder, lines.toString(), "epochs: 25\n");
    Path output = folder.resolve("a.nola");
    Outcome trained = nola("train", job.toString(), "-o", output.toString(), "--json");
    assertThat(trained.err()).isEmpty();
    assertThat(trained.json().get("validationAccuracy").asDouble()).isGreaterThan(0.9);
    AdapterFile file = AdapterFile.read(output);
    Reconstructor.standard().verify(file);
    assertThat(file.reconstructionDigest().toString())
        .isEqualTo(trained.json().get("reconstructionDigest").asString());
    assertThat(file.adapter().metadata().metrics().get("validation loss"))
        .isEqualTo(trained.json().get("validationLoss").asDouble());
    Outcome measured = evaluate(output, "validation-images", "--json");
    assertThat(measured.err()).isEmpty();
    assertThat(measured.json().get("examples").asInt()).isEqualTo(60);
    assertThat(measured.json().get("loss").asDouble())
        .isCloseTo(trained.json().get("validationLoss").asDouble(), within(1e-5));
  }

  private Outcome evaluate(Path adapter, String images, String... more) {
    List<Object> command = new ArrayList<>(List.of("evaluate", "-", adapter, "--data"));
    command.addAll(List.of(folder.resolve(images), "--labels"));
    command.add(folder.resolve("validation-labels"));
    command.addAll(List.of(more));
    return nola(command.toArray());
  }

  @Test
  void mlp_isMeasuredOnFeaturesOfItsWidth() throws IOException {
    Path output = folder.resolve("a.nola");
    nola("train", Jobs.write(folder, NOLA, "steps: 5\n"), "-o", output);
    Path labels = folder.resolve("validation-labels");
    Outcome other = evaluate(output, "validation-labels");
    assertThat(other.exitCode()).isEqualTo(1);
    assertThat(other.err()).contains(labels.toString());
    byte[] images = Files.readAllBytes(folder.resolve("validation-images"));
    images[15] = 3; // 120 images of 6×3 pixels
    images[7] = 120;
    Files.write(folder.resolve("narrow"), images);
    assertThat(evaluate(output, "narrow").err())
        .isEqualTo(
            "nola evaluate: %s: images have 18 pixels; must be 36, the first width of the network\n"
                .formatted(folder.resolve("narrow")));
    Outcome unlabelled = nola("evaluate", "-", output, "--data", folder.resolve("narrow"));
    assertThat(unlabelled.exitCode()).isEqualTo(2);
    assertThat(unlabelled.err()).contains("missing --labels");
    Outcome predicted = nola("predict", "-", output, "picture.png");
    assertThat(predicted.exitCode()).isEqualTo(1);
    assertThat(predicted.err()).contains("adapter is an MLP").hasLineCount(1);
  }

  @Test
  void refusedJob_leavesNoFolder() throws IOException {
    Path job = Jobs.write(folder, NOLA, "steps: 5\n");
    Files.delete(folder.resolve("validation-images"));
    assertThat(nola("train", job, "-o", folder.resolve("a.nola")).exitCode()).isEqualTo(3);
    assertThat(folder.resolve("a.nola.run")).doesNotExist();
  }

  @Test
  void folderInsteadOfAFile_isNamed() throws IOException {
    Path output = folder.resolve("a.nola");
    assertThat(nola("train", folder, "-o", output).err())
        .isEqualTo("nola train: %s: is a folder; must be a job file\n".formatted(folder));
    Path job = Jobs.write(folder, NOLA, "steps: 5\n");
    Path images = folder.resolve("validation-images");
    Files.delete(images);
    Files.createDirectory(images);
    assertThat(nola("train", job, "-o", output).err())
        .isEqualTo("nola train: %s: is a folder; must be a file\n".formatted(images));
  }

  @Test
  void equalJobsGiveEqualBytes() throws IOException {
    requireEqualBytes(NOLA, 20);
    requireEqualBytes(LORA, 3);
  }

  private void requireEqualBytes(String method, int repetitions) throws IOException {
    Path job = Jobs.write(folder, method, "steps: 30\n");
    String name = JobFile.read(job).recipe().method() + "-%d.nola";
    Path first = train(job, name.formatted(0));
    for (int i = 1; i <= repetitions; i++) {
      assertThat(train(job, name.formatted(i))).as("run %d", i).hasSameBinaryContentAs(first);
    }
  }

  /** Runs of a repeated job are those of jobs with their seeds; the summary is that of all. */
  @Test
  void repeatedJobMakesAnAdapterOfEachRun() throws IOException {
    Path job = Jobs.write(folder, NOLA, "steps: 30\nrepeat: {samples: 2, starts: 2}\n");
    String text = Files.readString(job).replace("format: idx", "format: idx\n  shots: 20");
    Files.writeString(job, text);
    Path output = folder.resolve("mood.nola");
    Outcome trained = nola("train", job.toString(), "-o", output.toString(), "--json");
    assertThat(trained.err()).isEmpty();
    List<Double> losses =
        trained
            .json()
            .get("runs")
            .valueStream()
            .map(run -> run.get("validationLoss").asDouble())
            .toList();
    assertThat(losses).hasSize(4).doesNotHaveDuplicates();
    double mean = losses.stream().mapToDouble(loss -> loss).average().orElseThrow();
    double squares = losses.stream().mapToDouble(loss -> (loss - mean) * (loss - mean)).sum();
    JsonNode spread = trained.json().get("validationLoss");
    assertThat(spread.get("mean").asDouble()).isEqualTo(mean);
    assertThat(spread.get("std").asDouble()).isCloseTo(Math.sqrt(squares / 3), within(1e-12));

    Files.writeString(
        job,
        text.replace("repeat: {samples: 2, starts: 2}", "")
            .replace("shots: 20", "shots: 20\n  seed: 6")
            .replace("method:\n", "method:\n  initialSeed: 2005\n"));
    assertThat(train(job, "third.nola")).hasSameBinaryContentAs(folder.resolve("mood-3.nola"));
  }

  @Test
  void repeatedJobIsResumed() throws IOException {
    Path job = Jobs.write(folder, NOLA, "steps: 5\nrepeat: 2\n");
    Path output = folder.resolve("a.nola");
    assertThat(nola("train", job.toString(), "-o", output.toString()).out())
        .contains("a-1.nola", "a-2.nola", "mean", "std");
    byte[] first = Files.readAllBytes(folder.resolve("a-1.nola"));
    Files.delete(folder.resolve("a-1.nola"));
    assertThat(nola("train", job.toString(), "-o", output.toString()).exitCode()).isNotZero();
    Outcome resumed = nola("train", job.toString(), "-o", output.toString(), "--resume");
    assertThat(resumed.exitCode()).isZero();
    assertThat(folder.resolve("a-1.nola")).hasBinaryContent(first);
  }

  /** Rounding takes another path, to the same kind of file. */
  @Test
  void storedBasisLearnsTheSame() throws IOException {
    Path generated = train(Jobs.write(folder, NOLA, "steps: 40\n"), "generated.nola");
    for (String basis : new String[] {"own", "shared"}) {
      String method = NOLA + "storedBasis: true\nbasis: " + basis + "\n";
      Path stored = train(Jobs.write(folder, method, "steps: 40\n"), basis + ".nola");
      Reconstructor.standard().verify(AdapterFile.read(stored));
      assertThat(loss(stored)).isLessThan(1.5 * loss(generated));
    }
  }

  @Test
  void gradientsOfMicroBatchesAddUp() throws IOException {
    Path whole = train(Jobs.write(folder, NOLA, "steps: 8\n"), "whole.nola");
    Path parts = train(Jobs.write(folder, NOLA, "steps: 8\nmicroBatch: 5\n"), "parts.nola");
    double one = loss(whole);
    assertThat(loss(parts)).isCloseTo(one, org.assertj.core.api.Assertions.within(1e-3));
  }

  private static double loss(Path file) throws IOException {
    return AdapterFile.read(file).adapter().metadata().metrics().get("validation loss");
  }

  @Test
  void roundingStartsAfterItsShareOfTheSteps() throws IOException {
    String method = NOLA.replace("bits: 4", "bits: 1");
    List<Double> free = losses(method, "free.nola");
    List<Double> later = losses(method + "quantizationAware: {from: 0.5}\n", "later.nola");
    assertThat(later.subList(0, 10)).isEqualTo(free.subList(0, 10));
    assertThat(later.subList(10, 20)).doesNotContainAnyElementsOf(free);
    List<Double> always = losses(method + "quantizationAware: true\n", "always.nola");
    assertThat(always.getFirst()).isNotEqualTo(free.getFirst());
  }

  @Test
  void smoothedLabels_changeTheLossOfTrainingAndNotThatOfEvaluations() throws IOException {
    List<Double> plain = losses(NOLA, "plain.nola");
    Path job = Jobs.write(folder, NOLA, "steps: 200\nlabelSmoothing: 0.5\n");
    Path smoothed = train(job, "smoothed.nola");
    // Half of the probability on three classes costs at least the entropy of (2/3, 1/6, 1/6).
    assertThat(losses("smoothed.nola"))
        .allMatch(loss -> loss > 0.86)
        .doesNotContain(plain.getFirst());
    assertThat(loss(smoothed)).isLessThan(0.6);
  }

  /** Trains for 20 steps, and returns the loss of each. */
  private List<Double> losses(String method, String name) throws IOException {
    train(Jobs.write(folder, method, "steps: 20\n"), name);
    return losses(name);
  }

  private List<Double> losses(String name) throws IOException {
    return Files.readAllLines(folder.resolve(name + ".run/metrics.jsonl")).stream()
        .map(JsonMapper.shared()::readTree)
        .filter(line -> line.has("loss"))
        .map(line -> line.get("loss").asDouble())
        .toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {NOLA, "name: lora\nrank: 4\nbits: 4\n"})
  void quantizationAwareTraining_losesLess(String name) throws IOException {
    String method = name.replace("bits: 4", "bits: 1");
    Path rounded = train(Jobs.write(folder, method, "steps: 200\n"), "rounded.nola");
    Path aware =
        train(
            Jobs.write(folder, method + "quantizationAware: true\n", "steps: 200\n"), "aware.nola");
    assertThat(loss(aware)).isLessThan(loss(rounded));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 37, 61})
  void killedRun_resumesToTheSameBytes(int killedAt) throws Exception {
    requireResumption(NOLA, killedAt);
  }

  @Test
  void killedRunOfALora_resumesToTheSameBytes() throws Exception {
    requireResumption(LORA, 37);
  }

  @Test
  void killedRunWithDropout_resumesToTheSameBytes() throws Exception {
    requireResumption("name: lora\nrank: 4\ndropout: 0.2\n", 37);
  }

  private void requireResumption(String method, int killedAt) throws Exception {
    Path job = Jobs.write(folder, method, "steps: 80\ncheckpointEvery: 10\nevaluateEvery: 16\n");
    Path whole = train(job, "whole.nola");

    Path output = folder.resolve("killed.nola");
    Process process =
        new ProcessBuilder(java("train", job.toString(), "-o", output.toString()))
            .redirectErrorStream(true)
            .start();
    Path metrics = folder.resolve("killed.nola.run/metrics.jsonl");
    while (process.isAlive() && lines(metrics) < killedAt) {
      Thread.onSpinWait();
    }
    process.destroyForcibly().waitFor(); // SIGKILL
    Outcome resumed = nola("train", job.toString(), "-o", output.toString(), "--resume");
    assertThat(resumed.err())
        .matches("(continues at step [1-9]+1|no checkpoint; starts at step 1)\n");
    assertThat(output).hasSameBinaryContentAs(whole);
    assertThat(metrics).hasSameTextualContentAs(folder.resolve("whole.nola.run/metrics.jsonl"));
  }

  private static long lines(Path file) throws IOException {
    if (!Files.exists(file)) {
      return 0;
    }
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().count();
  }

  private static List<String> java(String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(TrainerWorker.class.getName());
    command.addAll(List.of(args));
    return command;
  }

  @Test
  void existingRun_isNeitherOverwrittenNorResumedAsAnother() throws IOException {
    Path job = Jobs.write(folder, NOLA, "steps: 12\ncheckpointEvery: 5\n");
    Path output = train(job, "a.nola");
    Outcome again = nola("train", job.toString(), "-o", output.toString());
    assertThat(again.exitCode()).isEqualTo(3);
    assertThat(again.err())
        .startsWith("nola train: " + output + ": a run exists already; continue it with --resume")
        .contains("delete " + output + " and " + output + ".run, or choose another output")
        .hasLineCount(1);
    Path other = Jobs.write(folder, NOLA.replace("l: 16", "l: 15"), "steps: 12\n");
    Outcome resumed = nola("train", other.toString(), "-o", output.toString(), "--resume");
    assertThat(resumed.exitCode()).isEqualTo(3);
    assertThat(resumed.err())
        .contains("does not continue with this job: method.l was 16 and is 15; undo the change");
    Path shorter = Jobs.write(folder, NOLA, "steps: 9\n");
    assertThat(nola("train", shorter.toString(), "-o", output.toString(), "--resume").err())
        .contains("run.steps is 9; must be at least 12, the steps taken; undo the change");
    Jobs.write(folder, NOLA, "steps: 12\n");
    Path labels = folder.resolve("train-labels");
    byte[] changed = Files.readAllBytes(labels);
    changed[changed.length - 1] = (byte) ((changed[changed.length - 1] + 1) % 3);
    Files.write(labels, changed);
    Outcome otherData = nola("train", job.toString(), "-o", output.toString(), "--resume");
    assertThat(otherData.exitCode()).isEqualTo(3);
    assertThat(otherData.err())
        .contains("with this job: a data file has other content; undo the change");
  }

  @Test
  void resumedRun_canHaveMoreSteps() throws IOException {
    String constant = "steps: 12\ncheckpointEvery: 5\n";
    Path output = train(constant(Jobs.write(folder, NOLA, constant)), "a.nola");
    Path longer = constant(Jobs.write(folder, NOLA, constant.replace("12", "20")));
    Path whole = train(longer, "whole.nola");

    Outcome extended = nola("train", longer.toString(), "-o", output.toString(), "--resume");

    assertThat(extended.err()).isEqualTo("continues at step 13\n");
    assertThat(output).hasSameBinaryContentAs(whole);
  }

  /** A finished run without checkpoints in between keeps its last step, and its log. */
  @Test
  void finishedRun_canBeExtendedOrWrittenAgain() throws IOException {
    Path job = constant(Jobs.write(folder, NOLA, "steps: 12\n"));
    Path output = train(job, "a.nola");
    byte[] bytes = Files.readAllBytes(output);
    Path metrics = folder.resolve("a.nola.run/metrics.jsonl");
    String log = Files.readString(metrics);
    Outcome again = nola("train", job.toString(), "-o", output.toString(), "--resume");
    assertThat(again.err()).isEqualTo("all 12 steps are taken; writes the adapter again\n");
    assertThat(again.out())
        .contains("validation, of the written adapter: loss")
        .doesNotContain("perplexity");
    assertThat(output).hasBinaryContent(bytes);
    assertThat(metrics).hasContent(log);
    Path longer = constant(Jobs.write(folder, NOLA, "steps: 20\n"));
    Path whole = train(longer, "whole.nola");
    Outcome extended = nola("train", longer.toString(), "-o", output.toString(), "--resume");
    assertThat(extended.err()).isEqualTo("continues at step 13\n");
    assertThat(output).hasSameBinaryContentAs(whole);
  }

  private static Path constant(Path job) throws IOException {
    return Files.writeString(
        job, Files.readString(job).replace("  warmup: 3\n", "  schedule: constant\n"));
  }

  @Test
  void extendedRunWhoseLearningRateFell_saysSo() throws IOException {
    Path job = Jobs.write(folder, NOLA, "steps: 12\ncheckpointEvery: 5\n");
    Path output = train(job, "a.nola");
    Path longer = Jobs.write(folder, NOLA, "steps: 20\ncheckpointEvery: 5\n");

    nola("train", longer.toString(), "-o", output.toString(), "--resume");

    assertThat(AdapterFile.read(output).adapter().metadata().provenance())
        .containsEntry("extended", "from 12 of 12 steps");
  }

  @Test
  void interruptedRun_keepsACheckpointAndSaysHowToContinue() throws Exception {
    Path job = Jobs.write(folder, NOLA, "steps: 900\n");
    Path whole = train(job, "whole.nola");
    Path output = folder.resolve("stopped.nola");
    Process process =
        new ProcessBuilder(java("train", job.toString(), "-o", output.toString()))
            .redirectErrorStream(true)
            .start();
    Path metrics = folder.resolve("stopped.nola.run/metrics.jsonl");
    while (process.isAlive() && lines(metrics) < 20) {
      Thread.onSpinWait();
    }
    process.toHandle().destroy(); // leaves the output open
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();

    assertThat(said)
        .contains("continue with: nola train " + job + " -o " + output + " --resume")
        .contains("nola train: interrupted");
    assertThat(nola("train", job.toString(), "-o", output.toString(), "--resume").err())
        .startsWith("continues at step ");
    assertThat(output).hasSameBinaryContentAs(whole);
  }

  @Test
  void runWritesMetricsAndAPlot() throws IOException {
    Path job = Jobs.write(folder, NOLA, "steps: 12\nevaluateEvery: 4\n");
    train(job, "a.nola");
    assertThat(Files.readAllLines(folder.resolve("a.nola.run/metrics.jsonl")))
        .hasSize(12 + 2 + 1)
        .last()
        .asString()
        .startsWith("{\"step\":12,\"validationLoss\":");
    assertThat(folder.resolve("a.nola.run/loss.svg"))
        .content()
        .contains("<svg ", "<line ")
        .containsPattern("</svg>\\s*$");
    byte[] events = Files.readAllBytes(folder.resolve("a.nola.run/events.out.tfevents.nola"));
    assertThat(new String(events, StandardCharsets.ISO_8859_1))
        .contains("brain.Event:2", "loss/train", "loss/validation", "accuracy/validation");
    assertThat(records(events)).isEqualTo(1 + 12 + 3);
  }

  /** Counts the records of a TensorBoard file and checks the checksums of lengths and data. */
  private static int records(byte[] events) {
    ByteBuffer buffer = ByteBuffer.wrap(events).order(ByteOrder.LITTLE_ENDIAN);
    int count = 0;
    while (buffer.hasRemaining()) {
      int lengthChecksum = maskedChecksum(events, buffer.position(), Long.BYTES);
      int length = (int) buffer.getLong();
      assertThat(buffer.getInt()).isEqualTo(lengthChecksum);
      int dataChecksum = maskedChecksum(events, buffer.position(), length);
      buffer.position(buffer.position() + length);
      assertThat(buffer.getInt()).isEqualTo(dataChecksum);
      count++;
    }
    return count;
  }

  private static int maskedChecksum(byte[] bytes, int offset, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, offset, length);
    int crc = (int) checksum.getValue();
    return (crc >>> 15 | crc << 17) + 0xa282ead8;
  }

  @Test
  void jobWithWrongWidths_isRefusedInOneSentence() throws IOException {
    Path job = Jobs.write(folder, NOLA, "steps: 5\n");
    Files.writeString(job, Files.readString(job).replace("[36, 24, 3]", "[30, 24, 3]"));
    Outcome narrow = nola("train", job.toString(), "-o", folder.resolve("x").toString());
    assertThat(narrow.exitCode()).isEqualTo(2);
    assertThat(narrow.err()).contains("30").contains("36").hasLineCount(1);
    Files.writeString(job, Files.readString(job).replace("[30, 24, 3]", "[36, 24, 4]"));
    Outcome wide = nola("train", job.toString(), "-o", folder.resolve("x").toString());
    assertThat(wide.exitCode()).isEqualTo(2);
    assertThat(wide.err()).contains("4").contains("3").hasLineCount(1);
  }

  @Test
  void tooLargeLearningRate_isNamed() throws IOException {
    Path job = Jobs.write(folder, NOLA, "steps: 60\n");
    Files.writeString(job, Files.readString(job).replace("0.03", "1e30"));
    Outcome diverged = nola("train", job.toString(), "-o", folder.resolve("x.nola").toString());
    assertThat(diverged.exitCode()).isEqualTo(2);
    assertThat(diverged.err()).contains("is too large");
  }
}
