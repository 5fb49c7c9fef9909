package dev.nola.trainer.model;

import dev.nola.client.peft.Pooling;

/** Networks of one block, without weights. */
public final class Networks {
  private Networks() {}

  /** Returns a language model. */
  public static Network llama() {
    return new Llama(
        new Llama.Config(
            1,
            new Llama.Attention(1, 1, 1e4),
            1e-5,
            Activation.SILU,
            new Llama.Extras(true, false, false)),
        null);
  }

  /** Returns an encoder. */
  public static Network bert() {
    return new Bert(new Bert.Config(1, 1, 1e-5, Activation.GELU), Pooling.CLS);
  }
}
