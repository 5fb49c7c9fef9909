package dev.nola.api.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JobFileKeysTest {
  @Test
  void baseIsFoundInTheModelGroupAlone() {
    assertThat(JobFileKeys.hasBase(Map.of("model", Map.of("base", "x")))).isTrue();
    assertThat(JobFileKeys.hasBase(Map.of("model", Map.of("mlp", List.of(2, 2))))).isFalse();
    assertThat(JobFileKeys.hasBase(Map.of("model", "base"))).isFalse();
    assertThat(JobFileKeys.hasBase(Map.of("base", "x"))).isFalse();
  }

  @Test
  void dataFilesHaveTheValuesOfTheirKeysInOrder() {
    Map<String, Object> data =
        Map.of("validation", "v.txt", "train", 7, "format", "e2e", "trainLabels", "l.gz");
    assertThat(JobFileKeys.dataFiles(Map.of("data", data)))
        .containsExactly(
            Map.entry("train", 7),
            Map.entry("validation", "v.txt"),
            Map.entry("trainLabels", "l.gz"));
  }

  @Test
  void imagesMayBeFolders_otherDataFilesAlone() {
    List<String> files = List.of("train/cat/1.png", "readme.txt");
    assertThat(JobFileKeys.paths(Map.of("data", Map.of("format", "images")), files))
        .containsExactlyInAnyOrder("train/cat/1.png", "readme.txt", "train", "train/cat");
    assertThat(JobFileKeys.paths(Map.of("data", Map.of("format", "tsv")), files))
        .containsExactlyElementsOf(files);
    assertThat(JobFileKeys.paths(Map.of(), files)).containsExactlyElementsOf(files);
  }

  @Test
  void jobWithoutAGroupOfDataHasNoDataFiles() {
    assertThat(JobFileKeys.dataFiles(Map.of())).isEmpty();
    assertThat(JobFileKeys.dataFiles(Map.of("data", List.of("train")))).isEmpty();
  }
}
