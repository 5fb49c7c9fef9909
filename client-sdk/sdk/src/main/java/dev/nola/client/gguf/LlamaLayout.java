package dev.nola.client.gguf;

import java.util.Map;

/**
 * How llama.cpp's converter stores the blocks of decoders like Llama.
 *
 * <p>llama.cpp rotates neighbouring elements of queries and keys, Transformers those half a head
 * apart: of Llama, the converter permutes the rows of both.
 */
public final class LlamaLayout {
  /** Transformers' names of a block's linear modules, by those of llama.cpp. */
  public static final Map<String, String> MODULES =
      Map.of(
          "attn_q", "self_attn.q_proj",
          "attn_k", "self_attn.k_proj",
          "attn_v", "self_attn.v_proj",
          "attn_output", "self_attn.o_proj",
          "ffn_gate", "mlp.gate_proj",
          "ffn_up", "mlp.up_proj",
          "ffn_down", "mlp.down_proj");

  private LlamaLayout() {}

  /**
   * Returns where a row of Llama's queries or keys is stored: (half, i) of a head is at (i, half).
   *
   * @param row its number in Transformers
   * @param headSize rows of a head, an even number
   * @return its number in the file
   */
  public static long storedRow(long row, long headSize) {
    long place = row % headSize;
    long half = headSize / 2;
    return row - place + place % half * 2 + place / half;
  }
}
