package dev.nola.client.safetensors;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ForeignContainerTest {
  @TempDir private Path folder;

  static Stream<Arguments> foreignFilesAreNamed() {
    return Stream.of(
        arguments("GGUF\3\0\0\0\1\0\0\0\0\0\0\0", "is a GGUF file", "nola dequantize"),
        arguments("version https://git-lfs.github.com/spec/v1\noid", "LFS pointer", "git lfs pull"),
        arguments("\n<!DOCTYPE html><html>", "is an HTML page", "download the file again"),
        arguments("<HTML><body>403", "is an HTML page", "with a token"),
        arguments("PK\3\4\0\0\10\10\0\0", "PyTorch pickle (.bin, .pt)", "save_pretrained"),
        arguments("\u0080\2\u008A\nl\u00FC\u009CF", "is a PyTorch pickle", "save_pretrained"),
        arguments("\u0080\2}q\0.", "is a Python pickle", "save_pretrained"),
        arguments("\u0089HDF\r\n\32\n", "is an HDF5 file", "save_pretrained"),
        arguments("\b\12\22\7pytorch", "is an ONNX file", "nola import-onnx"),
        arguments("NOLA\1\0", "is a Nola adapter", "as the adapter"),
        arguments("\0\0\0\0\0\0\0\0\0\0", "is all zeros", "download the file again"),
        arguments("{\"error\":\"Repository not found\"}", "\"{\"error\":\"Repository", "download"),
        arguments("", "is empty", "download the file again"));
  }

  @ParameterizedTest
  @MethodSource
  void foreignFilesAreNamed(String content, String kind, String remedy) throws IOException {
    Path file = folder.resolve("model.safetensors");
    Files.write(file, content.getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> Model.open(file).close())
        .isInstanceOf(InvalidModelException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(kind)
        .hasMessageContaining(remedy);
    assertThatThrownBy(() -> Model.open(folder).close()).hasMessageContaining(kind);
  }

  @ParameterizedTest
  @CsvSource({
    "pytorch_model.bin,     'has pytorch_model.bin, which is a PyTorch pickle'",
    "model-Q4_K_M.gguf,     'has model-Q4_K_M.gguf, which is a GGUF file'",
    "tf_model.h5,           'has tf_model.h5, which is an HDF5 file'",
    "flax_model.msgpack,    'has flax_model.msgpack, which is weights of Flax'",
    "training_args.bin,     no other safetensors file"
  })
  void aFolderOfForeignWeightsNamesThem(String name, String message) throws IOException {
    Files.writeString(folder.resolve(name), "weights");
    assertThatThrownBy(() -> Model.open(folder).close())
        .isInstanceOf(InvalidModelException.class)
        .hasMessageContaining(message);
  }

  @Test
  void anAdapterOfPeftIsNotAModel() throws IOException {
    RawFile.write(folder.resolve("adapter_model.safetensors"), "{}", 0);
    Files.writeString(folder.resolve("adapter_config.json"), "{}");
    assertThatThrownBy(() -> Model.open(folder).close())
        .hasMessageContaining("is an adapter of PEFT, not a model; pass it as the adapter");
  }
}
