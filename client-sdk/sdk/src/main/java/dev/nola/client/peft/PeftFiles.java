package dev.nola.client.peft;

/** The names of PEFT's files and tensors. */
public final class PeftFiles {
  /** The file with the settings of an adapter. */
  public static final String CONFIG = "adapter_config.json";

  /** The file with the factors. */
  public static final String WEIGHTS = "adapter_model.safetensors";

  /** The file with the factors as older versions of PEFT wrote it. */
  public static final String PICKLE = "adapter_model.bin";

  /** Begins the key of every tensor. */
  public static final String KEY_PREFIX = "base_model.model.";

  private PeftFiles() {}
}
