package dev.nola.client.peft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatedHeadTest {
  /** Returns an adapter with a classifier of two classes. */
  private static Adapter adapter(String task, Map<String, String> provenance) {
    return Adapter.builder()
        .generator(Generator.SRHT)
        .dense(
            new DenseTensor(
                "classifier.weight", DType.F32, List.of(2, 3), MemorySegment.ofArray(new byte[24])))
        .metadata(Metadata.of("", task, "").withProvenance(provenance))
        .build();
  }

  @Test
  void whatTheTrainerStates_isReadBack() {
    List<String> labels = List.of("rain, heavy", "fog \"dense\"");
    Map<String, String> provenance =
        StatedHead.provenance(HeadClass.BERT, HeadClass.BERT.pooling(), labels);
    assertThat(StatedHead.of(adapter("text-classification", provenance)))
        .isEqualTo(new StatedHead("BertForSequenceClassification", Pooling.CLS, labels, null));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "BertForSequenceClassification | mean | [\"a\",\"b\"] | sees the mean over all tokens",
        "` ` | mean | [\"a\",\"b\"] | sees the mean over all tokens",
        "` ` | ` ` | [\"a\",\"b\"] | states labels, but no head",
        "BertForSequenceClassification | max | [\"a\",\"b\"] | invalid provenance pooling: max;"
            + " must be cls, mean or last-token",
        "BertForSequenceClassification | last-token | [\"a\",\"b\"] | pooling is last-token, but"
            + " BertForSequenceClassification computes cls",
        "BertForSequenceClassification | cls | [\"a\",\"b\",\"c\"] | states 3 labels, but"
            + " classifier.weight has shape [2, 3]",
        "BertForSequenceClassification | cls | [\"a\",\"a\"] | invalid provenance labels:"
            + " [\"a\",\"a\"]",
        "BertForSequenceClassification | cls | [1,2] | invalid provenance labels: [1,2]",
        "BertForSequenceClassification | cls | [] | invalid provenance labels: []",
        "BertForSequenceClassification | cls | a, b | invalid provenance labels: a, b",
      })
  void headThatNoClassComputes_isAProblem(
      String head, String pooling, String labels, String problem) {
    Map<String, String> provenance = new TreeMap<>();
    provenance.put("head", head);
    provenance.put("pooling", pooling);
    provenance.put("labels", labels);
    provenance.values().removeIf(String::isBlank);
    assertThat(StatedHead.of(adapter("text-classification", provenance)).problem())
        .contains(problem);
  }

  @ParameterizedTest
  @CsvSource({"RobertaForSequenceClassification, cls", "BertForSequenceClassification, cls"})
  void otherHead_isNoProblem(String head, String pooling) {
    StatedHead stated =
        StatedHead.of(adapter("text-classification", Map.of("head", head, "pooling", pooling)));
    assertThat(stated.problem()).isNull();
    assertThat(stated.className()).isEqualTo(head);
  }

  /** Adapters of earlier versions were trained on the mean, and said nothing of it. */
  @Test
  void formerClassifier_seesTheMean() {
    assertThat(StatedHead.of(adapter("classification", Map.of())).pooling())
        .isEqualTo(Pooling.MEAN);
    StatedHead imported = StatedHead.of(adapter("text-classification", Map.of()));
    assertThat(imported).isEqualTo(new StatedHead(null, null, List.of(), null));
  }
}
