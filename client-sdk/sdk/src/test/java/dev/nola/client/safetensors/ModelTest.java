package dev.nola.client.safetensors;

import static java.nio.file.StandardOpenOption.APPEND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelTest {
  private static final String A = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
  private static final String B = "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";

  @TempDir private Path folder;

  private void shard(String name, String header) throws IOException {
    RawFile.write(folder.resolve(name), header, 1);
  }

  private void index(String weightMap) throws IOException {
    Files.writeString(folder.resolve(Model.INDEX), "{\"weight_map\":" + weightMap + "}");
  }

  private void refused(String message) {
    assertThatThrownBy(() -> Model.open(folder).close())
        .isInstanceOf(InvalidModelException.class)
        .hasMessageContaining(message);
  }

  @Test
  void shardsAreReadAsOneModel() throws IOException {
    shard("one.safetensors", A);
    shard("two.safetensors", B);
    index("{\"b\":\"two.safetensors\",\"a\":\"one.safetensors\"}");
    try (Model model = Model.open(folder)) {
      assertThat(model.tensors().keySet()).containsExactly("b", "a");
      assertThat(model.files()).hasSize(2);
    }
  }

  @Test
  void partsOfTensorsAreReadFromTheirShards() throws IOException {
    String header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[6],\"data_offsets\":[0,6]}}";
    Files.writeString(
        RawFile.write(folder.resolve("one.safetensors"), header, 0), "abcdef", APPEND);
    shard("two.safetensors", B);
    index("{\"b\":\"two.safetensors\",\"a\":\"one.safetensors\"}");
    try (Model model = Model.open(folder);
        Arena arena = Arena.ofConfined()) {
      MemorySegment expected = model.tensors().get("a").data();
      for (int start = 0; start <= 6; start++) {
        MemorySegment part = arena.allocate(6 - start);
        model.read("a", start, part);
        assertThat(part.mismatch(expected.asSlice(start))).isEqualTo(-1);
      }
      MemorySegment one = arena.allocate(1);
      assertThatThrownBy(() -> model.read("b", 1, one))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> model.read("c", 0, one))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(folder + " has no tensor c");
    }
  }

  @Test
  void aFileThatBecomesShorterWhileItIsReadIsNamed() throws IOException {
    Path file = folder.resolve("one.safetensors");
    shard("one.safetensors", A);
    try (Model model = Model.open(file)) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(9);
      }
      assertThatThrownBy(() -> model.read("a", 0, MemorySegment.ofArray(new byte[1])))
          .isInstanceOf(IOException.class)
          .hasMessage(file + ": became shorter while it was being read");
    }
  }

  @Test
  void aFileIsAModel() throws IOException {
    shard("any.name", A);
    try (Model model = Model.open(folder.resolve("any.name"))) {
      assertThat(model.tensors()).containsOnlyKeys("a");
      assertThat(model.isFolder()).isFalse();
    }
  }

  @Test
  void aFolderWithOneFileOfAnyNameIsAModel() throws IOException {
    shard("adapter.safetensors", A);
    shard(".hidden.safetensors", B);
    try (Model model = Model.open(folder)) {
      assertThat(model.tensors()).containsOnlyKeys("a");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../one.safetensors",
        "/one.safetensors",
        "sub/one.safetensors",
        "sub\\\\one.safetensors",
        ".one.safetensors",
        "one\\u0000.safetensors",
        "C:one.safetensors",
        "one.bin",
        ""
      })
  void aShardOutsideOfTheFolderIsRefused(String name) throws IOException {
    shard("one.safetensors", A);
    index("{\"a\":\"" + name + "\"}");
    refused("must be the name of a visible .safetensors file next to it");
  }

  @Test
  void aShardThatLacksATensorIsRefused() throws IOException {
    shard("one.safetensors", A);
    index("{\"a\":\"one.safetensors\",\"b\":\"one.safetensors\"}");
    refused("assigns tensor b to one.safetensors, which has no such tensor");
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    shard("one.safetensors", A);
    index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
    assertThatThrownBy(() -> Model.open(folder).close())
        .isInstanceOf(NoSuchFileException.class)
        .hasMessage(
            folder.resolve("two.safetensors")
                + ": no such file, but the index assigns tensors to it; download it");
  }

  @ParameterizedTest
  @ValueSource(strings = {Model.SINGLE, Model.INDEX})
  void linkToAMissingFile_isNamedAsOne(String name) throws IOException {
    Files.createSymbolicLink(folder.resolve(name), folder.resolve("blob"));
    assertThatThrownBy(() -> Model.open(folder).close())
        .isInstanceOf(NoSuchFileException.class)
        .hasMessage(
            folder.resolve(name)
                + ": is a link to a file that does not exist; download the model again");
  }

  @Test
  void configThatIsALinkToAMissingFile_isNotAbsent() throws IOException {
    shard(Model.SINGLE, A);
    Files.createSymbolicLink(folder.resolve(Model.CONFIG), folder.resolve("blob"));
    try (Model model = Model.open(folder)) {
      assertThatThrownBy(model::config)
          .isInstanceOf(InvalidModelException.class)
          .hasMessageContaining("is a link to a file that does not exist");
    }
  }

  @Test
  void folderOfTheHubsCache_isRefusedWithTheRightFolder() throws IOException {
    Files.createDirectories(folder.resolve("snapshots/1a2b"));
    refused("is a folder of the Hub's cache; pass one of the folders in its snapshots");
  }

  @Test
  void indexDecidesBetweenTwoShardsWithATensor() throws IOException {
    String both =
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            + "\"c\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}";
    Files.writeString(RawFile.write(folder.resolve("one.safetensors"), A, 0), "1", APPEND);
    Files.writeString(RawFile.write(folder.resolve("two.safetensors"), both, 0), "23", APPEND);
    index("{\"c\":\"two.safetensors\",\"a\":\"one.safetensors\"}");
    try (Model model = Model.open(folder)) {
      assertThat(model.tensors().keySet()).containsExactly("c", "a");
      byte[] a = new byte[1];
      model.read("a", 0, MemorySegment.ofArray(a));
      assertThat(a).containsExactly('1');
      assertThat(model.tensors(model.files().getFirst())).extracting("name").containsExactly("c");
    }
  }

  @Test
  void aTensorThatTheIndexDoesNotAssignIsNotOfTheModel() throws IOException {
    shard("one.safetensors", A);
    shard("two.safetensors", B);
    index("{\"a\":\"one.safetensors\"}");
    try (Model model = Model.open(folder)) {
      assertThat(model.tensors()).containsOnlyKeys("a");
    }
    index("{\"b\":\"two.safetensors\"}");
    try (Model model = Model.open(folder)) {
      assertThat(model.tensors()).containsOnlyKeys("b");
    }
  }

  @Test
  void nullMetadataIsAbsent() throws IOException {
    shard("one.safetensors", "{\"__metadata__\":null," + A.substring(1));
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("one.safetensors"))) {
      assertThat(file.metadata()).isEmpty();
      assertThat(file.tensors()).containsOnlyKeys("a");
    }
    shard("one.safetensors", "{\"a\":null}");
    refused("a is not an object");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "[]", "7"})
  void anIndexWithoutTensorsIsRefused(String weightMap) throws IOException {
    index(weightMap);
    refused("has no weight_map with tensors");
  }

  @Test
  void anIndexThatNamesATensorTwiceIsRefused() throws IOException {
    shard("one.safetensors", A);
    index("{\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"}");
    refused("is not valid JSON");
  }

  @Test
  void aFolderWithoutWeightsSaysWhatItLacks() {
    refused("no other safetensors file");
  }

  @Test
  void aFolderWithSeveralFilesAndNoIndexIsRefused() throws IOException {
    shard("one.safetensors", A);
    shard("two.safetensors", B);
    refused("more than one other safetensors file, 2");
  }

  @Test
  void whatIsNoFileIsRefused() {
    assertThatThrownBy(() -> SafetensorsFile.open(folder))
        .isInstanceOf(InvalidModelException.class)
        .hasMessageContaining("is not a file");
  }
}
