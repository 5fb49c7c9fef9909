package dev.nola.client.dequantize;

import dev.nola.client.Progress;
import dev.nola.client.gguf.GgmlType;
import dev.nola.client.gguf.GgufFile;
import dev.nola.client.gguf.GgufTensor;
import dev.nola.client.peft.TorchType;
import dev.nola.client.safetensors.Model;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Turns a GGUF file of a Llama-type model into a folder in the Hugging Face layout. */
final class GgufConversion {
  private final GgufFile file;
  private final @Nullable DType chosen;
  private final Progress progress;

  GgufConversion(GgufFile file, @Nullable DType chosen, Progress progress) {
    this.file = file;
    this.chosen = chosen;
    this.progress = progress;
  }

  /**
   * Writes weights, config and tokenizer.
   *
   * @param folder an empty folder
   */
  ModelDequantizer.Report write(Path folder) throws IOException {
    DType dtype = chosen == null ? stored() : chosen;
    LlamaGguf llama = new LlamaGguf(file);
    ObjectNode config = llama.config();
    TorchType.set(config, dtype);
    List<Output> outputs = new ArrayList<>();
    for (GgufTensor tensor : file.tensors().values()) {
      if (!LlamaGguf.isInConfig(tensor.name())) {
        outputs.add(
            new Output.Decoded(
                llama.name(tensor.name()), tensor.shape(), dtype, llama.values(tensor)));
      }
    }
    GgufTokenizer tokenizer = new GgufTokenizer(file);
    for (Map.Entry<String, ObjectNode> part : tokenizer.files().entrySet()) {
      write(folder.resolve(part.getKey()), part.getValue());
    }
    write(folder.resolve(Model.CONFIG), config);
    long total = outputs.stream().mapToLong(output -> output.slot().bytes()).sum();
    new PlainModelWriter(file.path(), progress, total)
        .write(folder.resolve(Model.SINGLE), outputs, Map.of("format", "pt"));
    return new ModelDequantizer.Report(
        "GGUF", dtype, outputs.size(), 0, total, List.of(), tokenizer.warnings());
  }

  private static void write(Path path, ObjectNode json) throws IOException {
    Files.write(path, JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
  }

  /** Returns the type in which the file has matrices that are not quantized, or else F16. */
  private DType stored() {
    List<GgmlType> types =
        file.tensors().values().stream()
            .filter(tensor -> tensor.shape().size() > 1)
            .map(GgufTensor::type)
            .toList();
    return types.contains(GgmlType.F32)
        ? DType.F32
        : types.contains(GgmlType.BF16) ? DType.BF16 : DType.F16;
  }
}
