package dev.nola.trainer;

import static dev.nola.trainer.Outcome.nola;
import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.client.merge.ModelMerge;
import dev.nola.client.safetensors.Model;
import dev.nola.format.AdapterFile;
import dev.nola.format.DenseTensor;
import dev.nola.trainer.job.JobFile;
import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** Trains classifiers on RoBERTa, whose head has two layers and no pooler. */
class TrainRobertaTest {
  @TempDir private Path folder = Path.of("");

  private Path job(String model) throws IOException {
    TinyModels.write(folder, model);
    TinyModels.writeGlosses(folder);
    return Files.writeString(
        folder.resolve("job.yaml"),
        """
        model: {base: model}
        task: classification
        data: {format: tsv, train: data, validation: data, maxTokens: 16}
        method: {name: nola, targets: qv, rank: 2, k: 32, l: 32}
        optimizer: {learningRate: 0.03}
        run: {batch: 16, threads: 1, steps: 60}
        """);
  }

  private static List<String> dense(Path adapter) throws IOException {
    return AdapterFile.read(adapter).adapter().dense().stream().map(DenseTensor::name).toList();
  }

  @Test
  void bareEncoder_getsANewHeadAndResumesToTheSameBytes() throws Exception {
    TrainingJob job = JobFile.read(job("xlm-roberta"));
    Path whole = folder.resolve("whole.nola");
    TrainingRun.Result result = InterruptedRun.requireSameBytes(job, whole);

    assertThat(result.evaluation().accuracy()).isGreaterThan(0.9);
    assertThat(dense(whole))
        .containsExactly(
            "classifier.dense.bias",
            "classifier.dense.weight",
            "classifier.out_proj.bias",
            "classifier.out_proj.weight");
    AdapterFile file = AdapterFile.read(whole);
    assertThat(file.adapter().metadata().provenance())
        .containsEntry("head", "XLMRobertaForSequenceClassification")
        .containsEntry("pooling", "cls");

    Path merged = folder.resolve("merged");
    ModelMerge.into(folder.resolve("model")).adapter(file).build().write(merged);
    Path config = merged.resolve("config.json");
    assertThat(JsonMapper.shared().readTree(config).at("/architectures/0").asString())
        .isEqualTo("XLMRobertaForSequenceClassification");
    try (BaseModel base = BaseModel.load(folder.resolve("model"));
        Model model = Model.open(merged)) {
      assertThat(model.tensors().keySet())
          .hasSize(base.names().size() + 4)
          .allMatch(name -> name.matches("(roberta\\.e|classifier\\.(dense|out_proj)\\.).*"));
    }
  }

  /** The layer before the classifier stays as it is, as BERT's pooler does. */
  @Test
  void checkpointWithAHead_keepsItsFirstLayer() throws IOException {
    Path job = job("roberta-classifier");
    Outcome trained = nola("train", job, "-o", folder.resolve("a.nola"), "--json");
    assertThat(trained.err()).isEmpty();
    assertThat(trained.json().get("validationAccuracy").asDouble()).isGreaterThan(0.9);
    assertThat(dense(folder.resolve("a.nola")))
        .containsExactly("classifier.out_proj.bias", "classifier.out_proj.weight");
  }

  /** As the paper's Finetune-Top2: the last block, the norms within it, and the head. */
  @Test
  void someTensors_areTrainedWhole() throws IOException {
    Path job = job("roberta-classifier");
    String full = "{name: full, targets: 'layer\\.1\\.output'}";
    Files.writeString(
        job,
        Files.readString(job)
            .replaceAll("method: .*", "method: " + Matcher.quoteReplacement(full)));
    Outcome trained = nola("train", job, "-o", folder.resolve("a.nola"), "--json");
    assertThat(trained.err()).isEmpty();
    String output = "roberta.encoder.layer.1.output.";
    assertThat(dense(folder.resolve("a.nola")))
        .containsExactly(
            "classifier.out_proj.bias",
            "classifier.out_proj.weight",
            output + "LayerNorm.bias",
            output + "LayerNorm.weight",
            output + "dense.bias",
            output + "dense.weight");
    Outcome evaluated =
        nola(
            "evaluate",
            folder.resolve("model"),
            folder.resolve("a.nola"),
            "--data",
            folder.resolve("data"),
            "--format",
            "tsv",
            "--json");
    assertThat(evaluated.json().get("accuracy"))
        .isEqualTo(trained.json().get("validationAccuracy"));

    Files.writeString(job, Files.readString(job).replace("layer", "block"));
    assertThat(nola("train", job, "-o", folder.resolve("b.nola")).err())
        .contains("matches none of the tensors that can be adapted, such as classifier.");
  }

  /** Of 64 positions, the first two are padding's and one that no token has. */
  @Test
  void textsLongerThanThePositions_areRefused() throws IOException {
    Path job = job("roberta-classifier");
    Files.writeString(job, Files.readString(job).replace("maxTokens: 16", "maxTokens: 63"));
    Outcome refused = nola("train", job, "-o", folder.resolve("a.nola"));
    assertThat(refused.err()).contains("invalid data.maxTokens: 63; must be at most 62");
  }
}
