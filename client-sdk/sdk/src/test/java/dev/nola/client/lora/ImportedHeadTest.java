package dev.nola.client.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.client.merge.ModelMerge;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.DType;
import dev.nola.format.Limits;
import dev.nola.format.Metadata;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an imported classifier states of its head. */
class ImportedHeadTest {
  private static final String BERT_QUERY = "encoder.layer.0.attention.self.query";
  private static final String LLAMA_QUERY = "layers.0.self_attn.q_proj";

  @TempDir private Path folder;

  private static PeftLora lora(String module, String classifier) {
    return new PeftLora()
        .config("{\"task_type\": \"SEQ_CLS\", \"modules_to_save\": [\"%s\"]}".formatted(classifier))
        .linear(module, 4, 4, 2)
        .with("base_model.model." + classifier + ".weight", 3, 4);
  }

  private Path base(String module, String config) {
    return new PeftLora()
        .with(module + ".weight", DType.F32, 4, 4)
        .writeModelWith(folder.resolve("base"), config);
  }

  private LoraImport.Builder reading(PeftLora lora) {
    return LoraImport.of(lora.write(folder.resolve("lora")));
  }

  private static Metadata metadata(ImportedLora imported) {
    return imported.file().adapter().metadata();
  }

  private JsonNode merged(Path base, ImportedLora imported) throws Exception {
    ModelMerge.into(base).adapter(imported.file()).build().write(folder.resolve("merged"));
    return JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("merged/config.json")));
  }

  @ParameterizedTest
  @CsvSource({
    "BERT, bert., encoder.layer.0.attention.self.query",
    "ROBERTA, roberta., encoder.layer.0.attention.self.query",
    "LLAMA, model., layers.0.self_attn.q_proj"
  })
  void classifierOfAKnownModel_isStatedAsByATrainedAdapter(
      HeadClass head, String prefix, String module) throws Exception {
    Path base = base(module, "{\"model_type\": \"%s\"}".formatted(head.modelType()));

    ImportedLora imported =
        reading(lora(prefix + module, head.classifier()))
            .base(base)
            .labels(List.of("a", "b", "c"))
            .read();

    assertThat(metadata(imported).task()).isEqualTo("text-classification");
    assertThat(metadata(imported).provenance())
        .containsAllEntriesOf(StatedHead.provenance(head, head.pooling(), List.of("a", "b", "c")));
    JsonNode config = merged(base, imported);
    assertThat(config.path("architectures").path(0).asString()).isEqualTo(head.className());
    assertThat(config.path("num_labels").asInt()).isEqualTo(3);
    assertThat(config.path("id2label").path("2").asString()).isEqualTo("c");
  }

  @Test
  void labels_areThoseOfTheBaseIfItHasAsMany() throws Exception {
    Path base =
        base(
            BERT_QUERY,
            "{\"model_type\": \"bert\", \"id2label\": {\"0\": \"x\", \"1\": \"y\", \"2\": \"z\"}}");
    ImportedLora imported = reading(lora("bert." + BERT_QUERY, "classifier")).base(base).read();
    assertThat(metadata(imported).provenance()).containsEntry("labels", "[\"x\",\"y\",\"z\"]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"0\": \"x\", \"1\": \"y\"}",
        "{\"0\": \"x\", \"1\": \"x\", \"2\": \"z\"}",
        "{\"0\": \"x\", \"1\": 1, \"2\": \"z\"}",
        "[\"x\", \"y\", \"z\"]"
      })
  void labelsOfTheBaseThatDoNotFit_areLeftOutAndTheMergeNumbersThem(String labels)
      throws Exception {
    Path base = base(BERT_QUERY, "{\"model_type\": \"bert\", \"id2label\": %s}".formatted(labels));

    ImportedLora imported = reading(lora("bert." + BERT_QUERY, "classifier")).base(base).read();

    assertThat(metadata(imported).provenance())
        .containsEntry("head", "BertForSequenceClassification")
        .doesNotContainKey("labels");
    assertThat(imported.report().notes()).anyMatch(note -> note.contains("names of the 3 classes"));
    JsonNode config = merged(base, imported);
    assertThat(config.path("num_labels").asInt()).isEqualTo(3);
    assertThat(config.path("id2label").path("2").asString()).isEqualTo("LABEL_2");
  }

  @Test
  void classOfAutoMapping_tellsTheHeadWithoutABase() throws Exception {
    PeftLora lora =
        lora("bert." + BERT_QUERY, "classifier")
            .config(
                "{\"task_type\": null, \"auto_mapping\": {\"base_model_class\": \"BertForSequenceClassification\"}}");
    assertThat(metadata(reading(lora).read()).provenance())
        .containsEntry("head", "BertForSequenceClassification");
  }

  @Test
  void classifierWithoutABase_isNotedAndItsMergeWarns() throws Exception {
    Path base = base(LLAMA_QUERY, "{\"model_type\": \"llama\"}");

    ImportedLora imported = reading(lora("model." + LLAMA_QUERY, "score")).read();

    assertThat(metadata(imported).provenance()).doesNotContainKeys("head", "labels");
    assertThat(imported.report().notes())
        .anyMatch(note -> note.startsWith("the class of the classifier is not known"));
    assertThat(ModelMerge.into(base).adapter(imported.file()).build().dryRun().warnings())
        .anyMatch(warning -> warning.startsWith("score.weight: the config of the merged model"));
  }

  @Test
  void otherTask_hasNoHead() throws Exception {
    Path base = base(LLAMA_QUERY, "{\"model_type\": \"llama\"}");
    ImportedLora imported =
        reading(new PeftLora().linear("model." + LLAMA_QUERY, 4, 4, 2)).base(base).read();
    assertThat(metadata(imported).provenance()).doesNotContainKeys("head", "pooling", "labels");
  }

  @Test
  void labelsThatDoNotFitTheClassifier_areRefused() {
    Path base = base(BERT_QUERY, "{\"model_type\": \"bert\"}");
    LoraImport.Builder lora =
        reading(lora("bert." + BERT_QUERY, "classifier")).labels(List.of("a", "b"));
    assertThatExceptionOfType(ImportRefusedException.class)
        .isThrownBy(() -> lora.base(base).read())
        .withMessageContaining("labels do not match the classifier: 2 labels, 3 classes");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> lora.labels(List.of("a", "a")))
        .withMessage("invalid labels: [a, a]; must be distinct");
  }

  @Test
  void labelsThatAnAdapterCannotState_areRefusedIfTheyWereRequested() throws Exception {
    String label = "a".repeat(Limits.TEXT_BYTES);
    String names = "{\"0\": \"%s\", \"1\": \"b\", \"2\": \"c\"}".formatted(label);
    Path base = base(BERT_QUERY, "{\"model_type\": \"bert\", \"id2label\": %s}".formatted(names));
    LoraImport.Builder lora = reading(lora("bert." + BERT_QUERY, "classifier")).base(base);
    assertThat(lora.read().report().notes())
        .anyMatch(note -> note.startsWith("the names of the classes are too long"));
    assertThatExceptionOfType(ImportRefusedException.class)
        .isThrownBy(() -> lora.labels(List.of(label, "b", "c")).read())
        .withMessageContaining("labels too long");
  }

  @Test
  void classifierOfTheBaseWithMoreRowsThanAnInt_doesNotEndTheImport() throws Exception {
    Path base = base(BERT_QUERY, "{\"model_type\": \"bert\"}");
    Slot query = new Slot(BERT_QUERY + ".weight", "F32", List.of(4L, 4L), 64);
    Slot classifier = new Slot("classifier.weight", "F32", List.of(1L << 40, 0L), 0);
    Path weights = base.resolve("model.safetensors");
    Files.delete(weights);
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(weights, List.of(query, classifier), Map.of())) {
      writer.write(query.name(), 0, MemorySegment.ofArray(new byte[64]));
    }
    PeftLora lora =
        new PeftLora().config("{\"task_type\": \"SEQ_CLS\"}").linear("bert." + BERT_QUERY, 4, 4, 2);
    assertThat(metadata(reading(lora).base(base).read()).provenance()).doesNotContainKey("labels");
  }

  @Test
  void labelsWithoutAKnownClass_areRefused() {
    LoraImport.Builder lora =
        reading(lora("model." + LLAMA_QUERY, "score")).labels(List.of("a", "b", "c"));
    assertThatExceptionOfType(ImportRefusedException.class)
        .isThrownBy(lora::read)
        .withMessageContaining("the class of the classifier is not known without the base model");
  }
}
