package dev.nola.trainer.model;

import java.util.List;

/**
 * How a library names the tensors of a vision transformer.
 *
 * @param prefix of the names in checkpoints with a head or in a wrapper
 * @param unused beginnings of the names of tensors that classification does not use
 * @param embeddings names of what is embedded
 * @param blocks prefix of the blocks
 * @param block names of the modules of a block
 * @param norm module of the last norm before pooling
 */
record VitNames(
    String prefix,
    List<String> unused,
    Embeddings embeddings,
    String blocks,
    Block block,
    String norm) {
  /**
   * Names of what is embedded.
   *
   * @param cls the tensor of the first token
   * @param positions the tensor of the positions
   * @param patches the module of the convolution
   */
  record Embeddings(String cls, String positions, String patches) {}

  /**
   * Names of the modules of a block.
   *
   * @param norms before attention, and before the feed-forward part
   * @param attention for queries, keys and values; one if a product makes all three
   * @param output after attention
   * @param wide first layer of the feed-forward part
   * @param narrow second layer of the feed-forward part
   */
  record Block(
      List<String> norms, List<String> attention, String output, String wide, String narrow) {
    boolean isFused() {
      return attention.size() == 1;
    }
  }

  /** Names of Transformers, in checkpoints of ViT and of MAE. */
  static final VitNames TRANSFORMERS =
      new VitNames(
          "vit.",
          List.of("pooler.", "decoder.", "embeddings.mask_token"),
          new Embeddings(
              "embeddings.cls_token",
              "embeddings.position_embeddings",
              "embeddings.patch_embeddings.projection"),
          "encoder.layer.",
          new Block(
              List.of("layernorm_before", "layernorm_after"),
              List.of(
                  "attention.attention.query",
                  "attention.attention.key",
                  "attention.attention.value"),
              "attention.output.dense",
              "intermediate.dense",
              "output.dense"),
          "layernorm");

  /** Names of timm, and of MAE's own checkpoints. */
  static final VitNames TIMM =
      new VitNames(
          "timm_model.",
          List.of("decoder_", "mask_token"),
          new Embeddings("cls_token", "pos_embed", "patch_embed.proj"),
          "blocks.",
          new Block(
              List.of("norm1", "norm2"), List.of("attn.qkv"), "attn.proj", "mlp.fc1", "mlp.fc2"),
          "norm");

  String block(int index) {
    return blocks + index + ".";
  }
}
