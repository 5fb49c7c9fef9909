package dev.nola.client.dequantize;

import dev.nola.client.Progress;
import dev.nola.client.gguf.GgufFile;
import dev.nola.client.merge.SideFiles;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Quantization;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.files.StagedOutput;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a quantized model as a folder in the Hugging Face layout with weights in F32, F16 or BF16.
 */
public final class ModelDequantizer {
  /** Files in which tools describe how they quantized a model. */
  private static final Set<String> QUANTIZATION_FILES =
      Set.of("hf_quant_config.json", "quantize_config.json");

  private final Path source;
  private final @Nullable DType dtype;
  private final Progress progress;

  /**
   * What was written.
   *
   * @param quantization how the source is quantized, such as {@code FP8} or {@code GGUF}
   * @param dtype the type of the tensors that were decoded
   * @param dequantized number of tensors that were decoded
   * @param copied number of tensors that were copied
   * @param bytes size of all tensors, in bytes
   * @param left names of files that were not copied, such as weights in another format
   * @param warnings what the user has to know or do
   */
  public record Report(
      String quantization,
      DType dtype,
      int dequantized,
      int copied,
      long bytes,
      List<String> left,
      List<String> warnings) {
    /** Copies the lists. */
    public Report {
      left = List.copyOf(left);
      warnings = List.copyOf(warnings);
    }
  }

  /**
   * Prepares a conversion.
   *
   * @param source a GGUF file, a safetensors file, or a folder as {@link Model#open} takes it
   * @param dtype the type of all floating-point tensors; null to decode to the type that the config
   *     names and to keep the others as they are
   * @param progress receives the number of bytes written
   */
  public ModelDequantizer(Path source, @Nullable DType dtype, Progress progress) {
    this.source = source;
    this.dtype = dtype;
    this.progress = progress;
  }

  /**
   * Writes the model beside the destination, and renames it when it is complete.
   *
   * @param destination the folder to create, which must not exist
   * @return what was written
   * @throws InvalidModelException if the source is not a model, or is not quantized in a way that
   *     can be undone
   * @throws IOException if a file cannot be read or written
   */
  public Report write(Path destination) throws IOException {
    if (GgufFile.isGguf(source)) {
      try (StagedOutput output = StagedOutput.begin(destination);
          GgufFile file = GgufFile.open(source)) {
        Files.createDirectory(output.path());
        Report report = new GgufConversion(file, dtype, progress).write(output.path());
        output.finish();
        return report;
      }
    }
    try (Model model = Model.openQuantized(source);
        StagedOutput output = StagedOutput.begin(destination)) {
      Quantization quantization =
          model
              .quantization()
              .orElseThrow(
                  () ->
                      new InvalidModelException(
                          source, "is not quantized; it can be used as it is"));
      if (!quantization.method().isReversible()) {
        throw new InvalidModelException(
            source,
            "is quantized (%s), which cannot be undone here; use the original model, with weights in F32, F16 or BF16"
                .formatted(quantization.name()));
      }
      Files.createDirectory(output.path());
      Report report = write(model, quantization, output.path());
      output.finish();
      return report;
    }
  }

  private Report write(Model model, Quantization quantization, Path folder) throws IOException {
    ModelConfig config = ModelConfig.of(model);
    DType decoded = dtype != null ? dtype : config.dtype(quantization.method());
    QuantizedTensors tensors =
        new QuantizedTensors(model, quantization.method(), decoded, dtype != null, config.json());
    Map<SafetensorsFile, List<Output>> files = new LinkedHashMap<>();
    for (SafetensorsFile file : model.files()) {
      files.put(file, tensors.of(file));
    }
    List<Output> all = files.values().stream().flatMap(List::stream).toList();
    long total = all.stream().mapToLong(output -> output.slot().bytes()).sum();
    PlainModelWriter writer = new PlainModelWriter(source, progress, total);
    for (Map.Entry<SafetensorsFile, List<Output>> file : files.entrySet()) {
      writer.write(
          folder.resolve(name(model, file.getKey())), file.getValue(), file.getKey().metadata());
    }
    writeIndex(model, files, total, folder);
    SideFiles sideFiles = SideFiles.of(model);
    List<String> left = new ArrayList<>(sideFiles.left());
    for (String name : sideFiles.copied()) {
      if (QUANTIZATION_FILES.contains(name)) {
        left.add(name);
      } else if (name.equals(Model.CONFIG)) {
        config.write(folder.resolve(name), decoded);
      } else {
        Files.copy(source.resolve(name), folder.resolve(name));
      }
    }
    int dequantized = (int) all.stream().filter(Output.Decoded.class::isInstance).count();
    return new Report(
        quantization.name(),
        decoded,
        dequantized,
        all.size() - dequantized,
        total,
        left,
        List.of());
  }

  private static String name(Model model, SafetensorsFile file) {
    return model.isFolder() ? file.path().getFileName().toString() : Model.SINGLE;
  }

  /** Writes the source's index without the tensors that only the quantized model needs. */
  private static void writeIndex(
      Model model, Map<SafetensorsFile, List<Output>> files, long total, Path folder)
      throws IOException {
    ObjectNode index = model.index();
    if (index == null) {
      return;
    }
    ObjectNode map = index.putObject("weight_map");
    files.forEach(
        (file, outputs) ->
            outputs.forEach(output -> map.put(output.slot().name(), name(model, file))));
    index.withObject("/metadata").put("total_size", total);
    Files.write(
        folder.resolve(Model.INDEX),
        JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(index));
  }
}
