package dev.nola.trainer.model;

import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.Pooling;
import java.util.List;

/** Networks of one block, without weights. */
public final class Networks {
  private Networks() {}

  /** Returns a language model. */
  public static Network llama() {
    return new Llama(
        new LlamaConfig(
            1,
            new LlamaConfig.Attention(
                1, 1, new RotaryPositions(1e4, null), 0, 0, List.of(Integer.MAX_VALUE)),
            new LlamaConfig.Norm(1e-5, false, false),
            Activation.SILU,
            new LlamaConfig.Extras(
                true, false, false, false, false, new LlamaConfig.Outputs(1, 0))),
        null);
  }

  /** Returns a language model whose queries, keys and values are one product. */
  public static Network gpt2() {
    return new Gpt2(new Gpt2.Config(1, 1, 8, 1e-5, Activation.GELU_TANH));
  }

  /** Returns an encoder. */
  public static Network bert() {
    return new Bert(new Bert.Config(1, 1, 1e-5, Activation.GELU, -1), HeadClass.BERT, Pooling.CLS);
  }
}
