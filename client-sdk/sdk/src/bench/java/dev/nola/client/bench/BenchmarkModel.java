package dev.nola.client.bench;

import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a model of random weights in bf16: the names and shapes of a Llama, in shards with an
 * index, with the config that transformers wants to load it. Weights are normally distributed;
 * equal for every run.
 */
public final class BenchmarkModel {
  private static final long VOCABULARY = 32000;
  private static final long HEADS = 32;

  private static final String CONFIG =
      """
      {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": %d,
        "intermediate_size": %d,
        "num_hidden_layers": %d,
        "num_attention_heads": %d,
        "num_key_value_heads": %d,
        "vocab_size": %d,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-05,
        "hidden_act": "silu",
        "tie_word_embeddings": false,
        "torch_dtype": "bfloat16"
      }
      """;

  private enum Shape {
    /** TinyLlama's: 2.2 GB. */
    TINYLLAMA(22, 2048, 5632, 4, 600_000_000),
    /** LLaMA-2-7B's: 13.5 GB. */
    LLAMA_7B(32, 4096, 11008, 32, 5_000_000_000L);

    private final int layers;
    private final long hidden;
    private final long intermediate;
    private final long keyValueHeads;
    private final long shardBytes;

    Shape(int layers, long hidden, long intermediate, long keyValueHeads, long shardBytes) {
      this.layers = layers;
      this.hidden = hidden;
      this.intermediate = intermediate;
      this.keyValueHeads = keyValueHeads;
      this.shardBytes = shardBytes;
    }

    private String config() {
      return CONFIG.formatted(hidden, intermediate, layers, HEADS, keyValueHeads, VOCABULARY);
    }
  }

  private BenchmarkModel() {}

  /**
   * @param arguments the folder to make, and {@code tinyllama} or {@code llama_7b}
   */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    Shape shape = Shape.valueOf(arguments[1].toUpperCase(Locale.ROOT));
    Files.createDirectory(folder);
    List<List<Slot>> shards = shards(shape);
    byte[] noise = noise();
    SplittableRandom random = new SplittableRandom(2);
    Map<String, String> weightMap = new TreeMap<>();
    long total = 0;
    for (int i = 0; i < shards.size(); i++) {
      String name = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
      try (SafetensorsWriter writer =
          SafetensorsWriter.create(folder.resolve(name), shards.get(i), Map.of("format", "pt"))) {
        for (Slot slot : shards.get(i)) {
          write(writer, slot, noise, random);
          weightMap.put(slot.name(), name);
          total += slot.bytes();
        }
      }
    }
    Files.write(
        folder.resolve("model.safetensors.index.json"),
        JsonMapper.shared()
            .writerWithDefaultPrettyPrinter()
            .writeValueAsBytes(
                Map.of("metadata", Map.of("total_size", total), "weight_map", weightMap)));
    Files.writeString(folder.resolve("config.json"), shape.config());
    System.out.printf("wrote %s: %,d bytes of weights%n", folder, total);
  }

  private static List<List<Slot>> shards(Shape shape) {
    List<List<Slot>> shards = new ArrayList<>();
    long room = 0;
    for (Slot slot : tensors(shape)) {
      if (slot.bytes() > room) {
        shards.add(new ArrayList<>());
        room = shape.shardBytes;
      }
      shards.getLast().add(slot);
      room -= slot.bytes();
    }
    return shards;
  }

  private static List<Slot> tensors(Shape shape) {
    long hidden = shape.hidden;
    long intermediate = shape.intermediate;
    List<Slot> tensors = new ArrayList<>();
    tensors.add(tensor("model.embed_tokens", VOCABULARY, hidden));
    long keys = hidden / HEADS * shape.keyValueHeads;
    for (int i = 0; i < shape.layers; i++) {
      String layer = "model.layers." + i + ".";
      tensors.add(tensor(layer + "input_layernorm", hidden));
      tensors.add(tensor(layer + "self_attn.q_proj", hidden, hidden));
      tensors.add(tensor(layer + "self_attn.k_proj", keys, hidden));
      tensors.add(tensor(layer + "self_attn.v_proj", keys, hidden));
      tensors.add(tensor(layer + "self_attn.o_proj", hidden, hidden));
      tensors.add(tensor(layer + "post_attention_layernorm", hidden));
      tensors.add(tensor(layer + "mlp.gate_proj", intermediate, hidden));
      tensors.add(tensor(layer + "mlp.up_proj", intermediate, hidden));
      tensors.add(tensor(layer + "mlp.down_proj", hidden, intermediate));
    }
    tensors.add(tensor("model.norm", hidden));
    tensors.add(tensor("lm_head", VOCABULARY, hidden));
    return tensors;
  }

  private static Slot tensor(String module, Long... shape) {
    long elements = List.of(shape).stream().reduce(1L, Math::multiplyExact);
    return new Slot(module + ".weight", "BF16", List.of(shape), elements * Short.BYTES);
  }

  /** Normally distributed bf16 weights of standard deviation 0.02, to be cut into tensors. */
  private static byte[] noise() {
    byte[] noise = new byte[1 << 25];
    SplittableRandom random = new SplittableRandom(1);
    for (int offset = 0; offset < noise.length; offset += Short.BYTES) {
      int bits = Float.floatToRawIntBits((float) (0.02 * random.nextGaussian()));
      noise[offset] = (byte) (bits >>> 16);
      noise[offset + 1] = (byte) (bits >>> 24);
    }
    return noise;
  }

  /** Fills a tensor with pieces of the noise from random places. */
  private static void write(
      SafetensorsWriter writer, Slot slot, byte[] noise, SplittableRandom random)
      throws IOException {
    int piece = 1 << 20;
    for (long offset = 0; offset < slot.bytes(); offset += piece) {
      int start = Short.BYTES * random.nextInt((noise.length - piece) / Short.BYTES);
      long length = Math.min(piece, slot.bytes() - offset);
      writer.write(slot.name(), offset, MemorySegment.ofArray(noise).asSlice(start, length));
    }
  }
}
