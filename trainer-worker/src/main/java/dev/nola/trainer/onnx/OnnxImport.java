package dev.nola.trainer.onnx;

import dev.nola.client.JsonProblem;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.files.StagedOutput;
import dev.nola.trainer.data.InvalidDataException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Turns a BERT encoder's ONNX file into a folder in Hugging Face's format. Exporters store weights
 * of linear modules transposed, under names like {@code onnx::MatMul_885}: the import restores the
 * shape out×in and the name, which follows from the bias's.
 */
public final class OnnxImport {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** Moves bits without interpreting them, so that byte order and NaNs do not matter. */
  private static final ValueLayout.OfInt F32 = ValueLayout.JAVA_INT_UNALIGNED;

  /**
   * The model that was written.
   *
   * @param config the model's sizes
   * @param tensors number of tensors
   * @param bytes size of their elements, in bytes
   * @param left names of initializers that were not copied, such as position ids
   */
  public record Report(EncoderConfig config, int tensors, long bytes, List<String> left) {
    /** Copies the list. */
    public Report {
      left = List.copyOf(left);
    }
  }

  private final Path onnx;
  private final @Nullable Path tokenizer;
  private final @Nullable Integer heads;
  private final @Nullable Double epsilon;

  /**
   * Prepares an import.
   *
   * @param onnx file of the encoder, with its weights in f32
   * @param tokenizer its {@code tokenizer.json}, which is copied; null for none
   * @param heads number of attention heads, if the graph does not specify it; else null
   * @param epsilon ε of the norms, if the graph does not specify it; else null
   * @throws IllegalArgumentException if {@code heads} is less than 1, or {@code epsilon} not
   *     between 0 and 1
   */
  public OnnxImport(
      Path onnx, @Nullable Path tokenizer, @Nullable Integer heads, @Nullable Double epsilon) {
    this.onnx = onnx;
    this.tokenizer = tokenizer;
    this.heads = heads;
    this.epsilon = epsilon;
    if (heads != null && heads < 1) {
      throw new IllegalArgumentException(heads + " attention heads; must be at least 1");
    }
    if (epsilon != null && !(epsilon > 0 && epsilon < 1)) {
      throw new IllegalArgumentException("epsilon " + epsilon + "; must be between 0 and 1");
    }
  }

  /**
   * Writes {@code config.json}, {@code model.safetensors} and the tokenizer.
   *
   * @param folder folder to create, which must not exist
   * @return what was written
   * @throws InvalidOnnxException if the file is not a valid ONNX file of a BERT encoder in f32
   * @throws IllegalArgumentException if the graph specifies other heads or another epsilon than
   *     were given
   * @throws IOException if a file cannot be read or written
   */
  public Report write(Path folder) throws IOException {
    try (StagedOutput output = StagedOutput.begin(folder);
        OnnxFile file = OnnxFile.open(onnx)) {
      Encoder encoder = new EncoderSearch(file).encoder(heads, epsilon);
      Files.createDirectory(output.path());
      if (tokenizer != null) {
        Files.write(output.path().resolve("tokenizer.json"), readTokenizer(tokenizer));
      }
      Files.writeString(
          output.path().resolve("config.json"), config(encoder.config()) + System.lineSeparator());
      Report report = writeWeights(encoder, output.path().resolve(Model.SINGLE));
      output.finish();
      return report;
    }
  }

  private static byte[] readTokenizer(Path tokenizer) throws IOException {
    byte[] bytes = Files.readAllBytes(tokenizer);
    try {
      if (JSON.readTree(bytes).path("model").isObject()) {
        return bytes;
      }
    } catch (JacksonException e) {
      throw new InvalidDataException(tokenizer + ": invalid JSON: " + JsonProblem.of(e), e);
    }
    throw new InvalidDataException(tokenizer + ": has no \"model\"; must be a tokenizer.json");
  }

  private static String config(EncoderConfig config) {
    ObjectNode json = JSON.createObjectNode();
    json.putArray("architectures").add("BertModel");
    json.put("dtype", "float32")
        .put("hidden_act", "gelu")
        .put("hidden_size", config.hidden())
        .put("intermediate_size", config.intermediate())
        .put("layer_norm_eps", config.epsilon())
        .put("max_position_embeddings", config.positions())
        .put("model_type", "bert")
        .put("num_attention_heads", config.heads())
        .put("num_hidden_layers", config.layers())
        .put("type_vocab_size", config.tokenTypes())
        .put("vocab_size", config.vocabulary());
    return JSON.writeValueAsString(json);
  }

  private static Report writeWeights(Encoder encoder, Path file) throws IOException {
    List<SafetensorsWriter.Slot> slots =
        encoder.weights().entrySet().stream()
            .map(
                entry ->
                    new SafetensorsWriter.Slot(
                        entry.getKey(),
                        "F32",
                        entry.getValue().shape(),
                        entry.getValue().tensor().data().byteSize()))
            .toList();
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, slots, Map.of("format", "pt"))) {
      for (Map.Entry<String, Encoder.Weight> entry : encoder.weights().entrySet()) {
        try (Arena arena = Arena.ofConfined()) {
          writer.write(entry.getKey(), elements(entry.getValue(), arena));
        }
      }
    }
    return new Report(
        encoder.config(),
        slots.size(),
        slots.stream().mapToLong(SafetensorsWriter.Slot::bytes).sum(),
        encoder.skipped());
  }

  /** Returns the elements as out×in. */
  private static MemorySegment elements(Encoder.Weight weight, Arena arena) {
    MemorySegment stored = weight.tensor().data();
    if (!weight.transposed()) {
      return stored;
    }
    long inputs = weight.tensor().shape().getFirst();
    long outputs = weight.tensor().shape().getLast();
    MemorySegment turned = arena.allocate(stored.byteSize());
    for (long i = 0; i < inputs; i++) {
      for (long o = 0; o < outputs; o++) {
        turned.setAtIndex(F32, o * inputs + i, stored.getAtIndex(F32, i * outputs + o));
      }
    }
    return turned;
  }
}
