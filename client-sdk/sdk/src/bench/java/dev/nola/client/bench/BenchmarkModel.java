package dev.nola.client.bench;

import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a model of 2.2 GB: the names and shapes of a Llama of 1.1 billion parameters, bf16, in
 * shards with an index, with the config that transformers wants to load it. Weights are normally
 * distributed; equal for every run.
 */
public final class BenchmarkModel {
  private static final int LAYERS = 22;
  private static final long HIDDEN = 2048;
  private static final long INTERMEDIATE = 5632;
  private static final long VOCABULARY = 32000;
  private static final long HEADS = 32;
  private static final long KEY_VALUE_HEADS = 4;
  private static final long SHARD = 600_000_000;

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
      """
          .formatted(HIDDEN, INTERMEDIATE, LAYERS, HEADS, KEY_VALUE_HEADS, VOCABULARY);

  private BenchmarkModel() {}

  /**
   * @param arguments the folder to make
   */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    Files.createDirectory(folder);
    List<List<Slot>> shards = shards();
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
    Files.writeString(folder.resolve("config.json"), CONFIG);
    System.out.printf("wrote %s: %,d bytes of weights%n", folder, total);
  }

  private static List<List<Slot>> shards() {
    List<List<Slot>> shards = new ArrayList<>();
    long room = 0;
    for (Slot slot : tensors()) {
      if (slot.bytes() > room) {
        shards.add(new ArrayList<>());
        room = SHARD;
      }
      shards.getLast().add(slot);
      room -= slot.bytes();
    }
    return shards;
  }

  private static List<Slot> tensors() {
    List<Slot> tensors = new ArrayList<>();
    tensors.add(tensor("model.embed_tokens", VOCABULARY, HIDDEN));
    long keys = HIDDEN / HEADS * KEY_VALUE_HEADS;
    for (int i = 0; i < LAYERS; i++) {
      String layer = "model.layers." + i + ".";
      tensors.add(tensor(layer + "input_layernorm", HIDDEN));
      tensors.add(tensor(layer + "self_attn.q_proj", HIDDEN, HIDDEN));
      tensors.add(tensor(layer + "self_attn.k_proj", keys, HIDDEN));
      tensors.add(tensor(layer + "self_attn.v_proj", keys, HIDDEN));
      tensors.add(tensor(layer + "self_attn.o_proj", HIDDEN, HIDDEN));
      tensors.add(tensor(layer + "post_attention_layernorm", HIDDEN));
      tensors.add(tensor(layer + "mlp.gate_proj", INTERMEDIATE, HIDDEN));
      tensors.add(tensor(layer + "mlp.up_proj", INTERMEDIATE, HIDDEN));
      tensors.add(tensor(layer + "mlp.down_proj", HIDDEN, INTERMEDIATE));
    }
    tensors.add(tensor("model.norm", HIDDEN));
    tensors.add(tensor("lm_head", VOCABULARY, HIDDEN));
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
