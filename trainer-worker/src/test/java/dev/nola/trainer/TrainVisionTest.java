package dev.nola.trainer;

import static dev.nola.trainer.Outcome.nola;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Trains vision models on small images. */
class TrainVisionTest {
  private static final Path MODELS = Path.of("src/test/resources/models").toAbsolutePath();

  @TempDir private Path folder = Path.of("");

  private Path vitJob(String model, String method, String data, String run) throws IOException {
    if (Files.notExists(folder.resolve("train"))) {
      Pictures.folder(folder.resolve("train"), 16, 1);
      Pictures.folder(folder.resolve("test"), 6, 2);
    }
    return Files.writeString(
        folder.resolve("job.yaml"),
        """
        model: {base: %s}
        task: classification
        data: {format: images, train: train, validation: test%s}
        method: {%s}
        optimizer: {learningRate: 0.03, schedule: constant}
        run: {batch: 16, threads: 1, %s}
        """
            .formatted(MODELS.resolve(model), data, method, run));
  }

  private JsonNode train(Path job, String name) {
    Path output = folder.resolve(name);
    Outcome trained = nola("train", job, "-o", output, "--json");
    assertThat(trained.err()).isEmpty();
    assertThat(trained.exitCode()).isZero();
    return trained.json();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "vit | name: nola, targets: mlp, rank: 4, k: 32, l: 32",
        "vit-mae | name: lora, targets: qv, rank: 2",
        "timm-vit | name: nola, targets: all-linear, rank: 4, k: 32, l: 32",
        "timm-vit-avg | name: pranc, targets: qv, k: 64",
        "vit | name: full",
        "timm-vit | name: head",
      })
  void visionTransformersLearn_andAreMeasuredFromTheirFiles(String model, String method)
      throws IOException {
    String size = model.startsWith("timm") ? ", resize: 8, crop: 8" : "";
    Path job = vitJob(model, method, size, "epochs: 10");
    JsonNode result = train(job, "a.nola");
    assertThat(result.path("validationAccuracy").asDouble()).isGreaterThan(0.8);
    Path adapter = folder.resolve("a.nola");
    Outcome measured =
        nola(
            "evaluate", MODELS.resolve(model), adapter, "--data", folder.resolve("test"), "--json");
    assertThat(measured.err()).isEmpty();
    assertThat(measured.json().path("examples").asInt()).isEqualTo(18);
    assertThat(measured.json().path("loss").asDouble())
        .isCloseTo(result.path("validationLoss").asDouble(), within(1e-5));
  }

  /** A random model sees colors, without training. */
  @ParameterizedTest
  @CsvSource({"vit, ''", "timm-vit-avg, ', resize: 8, crop: 8'"})
  void nearestPicturesAreOfOneColor(String model, String size) throws IOException {
    Outcome found = nola("nearest", vitJob(model, "name: head", size, "steps: 1"), "--json");
    assertThat(found.err()).isEmpty();
    assertThat(found.json().path("accuracy").asDouble()).isGreaterThan(0.8);
    assertThat(found.json().path("predictions")).hasSize(18);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vit", "vit-mae", "timm-vit", "timm-vit-avg"})
  void resumedRunOfDrawnPictures_givesTheSameBytes(String model) throws IOException {
    String method = "name: nola, targets: all-linear, rank: 2, k: 8, l: 8";
    String data = ", resize: [9, 10], crop: 8, randomCrop: true, padding: 1, flip: true";
    train(vitJob(model, method, data, "steps: 12"), "whole.nola");
    train(vitJob(model, method, data, "steps: 12"), "again.nola");
    assertThat(folder.resolve("again.nola")).hasSameBinaryContentAs(folder.resolve("whole.nola"));
    train(vitJob(model, method, data, "steps: 5"), "parts.nola");
    Path longer = vitJob(model, method, data, "steps: 12");
    Path parts = folder.resolve("parts.nola");
    Outcome resumed = nola("train", longer, "-o", parts, "--resume");
    assertThat(resumed.err()).isEqualTo("continues at step 6\n");
    assertThat(parts).hasSameBinaryContentAs(folder.resolve("whole.nola"));
  }

  private Path networkJob(String network, String method, String run) throws IOException {
    Pictures.idx(folder, "train", 96, 1);
    Pictures.idx(folder, "test", 30, 2);
    return Files.writeString(
        folder.resolve("job.yaml"),
        """
        model: {network: %s}
        task: classification
        data:
          format: idx
          train: train-images
          trainLabels: train-labels
          validation: test-images
          validationLabels: test-labels
          flip: true
          crop: 8
          randomCrop: true
          padding: 1
        method: {%s}
        optimizer: {learningRate: 0.01, schedule: constant}
        run: {batch: 32, threads: 1, %s}
        """
            .formatted(network, method, run));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "resnet20 | name: nola, rank: 8, k: 64, l: 64 | epochs: 6",
        "resnet20 | name: pranc, k: 128 | epochs: 6",
        "resnet20 | name: lora, rank: 2 | epochs: 6",
        "resnet20 | name: full | epochs: 4",
        "resnet18 | name: nola, rank: 8, k: 64, l: 64 | epochs: 1",
      })
  void residualNetworksLearnFromScratch_andAreMeasuredFromTheirFiles(
      String network, String method, String run) throws IOException {
    Path job = networkJob(network, method, run);
    JsonNode result = train(job, "a.nola");
    if (network.equals("resnet20")) {
      assertThat(result.path("validationAccuracy").asDouble()).isGreaterThan(0.6);
    }
    Path adapter = folder.resolve("a.nola");
    Outcome measured =
        nola(
            "evaluate",
            "-",
            adapter,
            "--data",
            folder.resolve("test-images"),
            "--labels",
            folder.resolve("test-labels"),
            "--json");
    assertThat(measured.err()).isEmpty();
    assertThat(measured.json().path("loss").asDouble())
        .isCloseTo(result.path("validationLoss").asDouble(), within(1e-5));
  }

  /** Running means and variances are in the checkpoint, and what is drawn follows from the seed. */
  @ParameterizedTest
  @ValueSource(strings = {"resnet20", "resnet18"})
  void resumedRunFromScratch_givesTheSameBytes(String network) throws IOException {
    String method = "name: nola, rank: 8, k: 32, l: 32";
    train(networkJob(network, method, "microBatch: 16, steps: 5"), "whole.nola");
    train(networkJob(network, method, "microBatch: 16, steps: 3"), "parts.nola");
    Path longer = networkJob(network, method, "microBatch: 16, steps: 5");
    Path parts = folder.resolve("parts.nola");
    Outcome resumed = nola("train", longer, "-o", parts, "--resume");
    assertThat(resumed.err()).isEqualTo("continues at step 4\n");
    assertThat(parts).hasSameBinaryContentAs(folder.resolve("whole.nola"));
  }

  @Test
  void adapterOfAModel_isNoNetworkOfItsOwn() throws IOException {
    train(vitJob("vit", "name: head", "", "steps: 1"), "a.nola");
    Outcome refused =
        nola("evaluate", "-", folder.resolve("a.nola"), "--data", folder.resolve("test"));
    assertThat(refused.err())
        .contains("states no network of its own: name the folder of its base model instead of -");
  }

  @Test
  void picturesAreClassifiedByTheirFiles() throws IOException {
    Path job = vitJob("vit", "name: head", "", "epochs: 12");
    train(job, "a.nola");
    Path adapter = folder.resolve("a.nola");
    assertThat(AdapterFile.read(adapter).adapter().metadata().provenance())
        .containsAllEntriesOf(
            Map.of(
                "head",
                "ViTForImageClassification",
                "pooling",
                "cls",
                "labels",
                "[\"blue\",\"green\",\"red\"]",
                "images",
                "{\"do_resize\":true,\"size\":{\"height\":8,\"width\":8},\"resample\":2,"
                    + "\"do_center_crop\":false,\"rescale_factor\":0.00392156862745098,"
                    + "\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.5,0.5,0.5]}"));
    Outcome all =
        nola("predict", MODELS.resolve("vit"), adapter, "--data", folder.resolve("test"), "--json");
    assertThat(all.err()).isEmpty();
    JsonNode predictions = all.json().path("predictions");
    assertThat(predictions.size()).isEqualTo(18);
    long right =
        predictions
            .valueStream()
            .filter(
                each ->
                    each.path("text")
                        .asString()
                        .contains("/" + each.path("label").asString() + "/"))
            .count();
    assertThat(right).isGreaterThan(14);
    Path one = folder.resolve("test/red/0.png");
    Outcome single = nola("predict", MODELS.resolve("vit"), adapter, one);
    assertThat(single.out()).startsWith("0.").contains("  red\n").hasLineCount(3);
    Path several = folder.resolve("test/red");
    assertThat(nola("predict", MODELS.resolve("vit"), adapter, several).out())
        .isEqualTo(nola("predict", MODELS.resolve("vit"), adapter, "--data", several).out())
        .contains("  " + one + "\n");
  }

  @Test
  void textsForAVisionModel_areRefused() throws IOException {
    Files.writeString(folder.resolve("texts.tsv"), "text\tlabel\na\tb\nc\td\n");
    Path job = vitJob("vit", "name: head", "", "epochs: 1");
    Files.writeString(
        job,
        Files.readString(job)
            .replace(
                "images, train: train, validation: test",
                "tsv, train: texts.tsv, validation: texts.tsv"));
    Outcome refused = nola("train", job, "-o", folder.resolve("a.nola"));
    assertThat(refused.err()).contains("the model reads images, but data.format is one of texts");
  }

  @Test
  void imagesOfAnotherSize_areRefusedWithTheRemedy() throws IOException {
    Path job = vitJob("vit", "name: head", ", resize: 12", "epochs: 1");
    Outcome refused = nola("train", job, "-o", folder.resolve("a.nola"));
    assertThat(refused.err())
        .contains("images of 12×12 pixels make 9 patches; must be 4, for which the model has")
        .contains("set data.resize or data.crop");
  }
}
