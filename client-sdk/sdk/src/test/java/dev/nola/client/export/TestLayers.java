package dev.nola.client.export;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.util.Random;

/** Layers with random factors, which are the codes themselves. */
public final class TestLayers {
  private final Random random = new Random(1);

  /** A layer whose ΔW has elements of about a fifth. */
  public Layer matrix(String module, int rows, int cols, int rank) {
    LowRank factors = new LowRank(rank, codes(rank * rows), codes(rank * cols));
    return Layer.ofMatrix(module + ".weight", rows, cols, 0, 0x1p-9f, factors);
  }

  private Codes codes(int count) {
    return Codes.of(4, random.ints(count, 0, 16).toArray());
  }

  /** An adapter of layers. */
  public static AdapterFile seal(Layer... layers) throws Exception {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.IDENTITY);
    for (Layer layer : layers) {
      adapter.layer(layer);
    }
    return Reconstructor.standard().seal(adapter.build());
  }
}
