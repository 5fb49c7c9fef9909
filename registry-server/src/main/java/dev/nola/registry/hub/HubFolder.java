package dev.nola.registry.hub;

import dev.nola.digest.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * What a repository has beside the adapter's file.
 *
 * @param card README.md, UTF-8
 * @param lora null if none can be made; the card then says why
 */
record HubFolder(byte[] card, @Nullable Lora lora) {
  /**
   * A LoRA of PEFT.
   *
   * @param config adapter_config.json
   * @param size of adapter_model.safetensors in bytes
   * @param digest of adapter_model.safetensors
   */
  record Lora(byte[] config, long size, Sha256 digest) {}

  /** Returns about how many bytes this takes in memory. */
  int weight() {
    return card.length + (lora == null ? 0 : lora.config.length);
  }
}
