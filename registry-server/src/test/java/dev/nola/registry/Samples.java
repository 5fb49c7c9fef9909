package dev.nola.registry;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;

/** Adapter files, small and sound. */
final class Samples {
  static final Metadata METADATA =
      Metadata.of("Tells happy reviews from sad ones", "text-classification", "Apache-2.0")
          .withTags("demo", "sentiment");

  private Samples() {}

  /** One that differs from every other seed's. */
  static byte[] file(long seed) {
    return file(seed, METADATA);
  }

  static byte[] file(long seed, Metadata metadata) {
    return file(seed, metadata, "meta-llama/Llama-2-7b-hf", 4);
  }

  static byte[] file(long seed, Metadata metadata, String base, int rank) {
    Codes alpha = Codes.of(4, 1, 7, 3, 15, 0, 9, 8, 2);
    Codes beta = Codes.of(4, 5, 5, 12, 1, 3, 14, 6, 2);
    return seal(
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(seed)
            .base(new BaseModel(base, "main", null))
            .metadata(metadata)
            .layer(
                Layer.ofMatrix(
                    "model.layers.0.self_attn.q_proj.weight",
                    64,
                    32,
                    0,
                    0x1p-10f,
                    new Coefficients.LowRank(rank, alpha, beta)))
            .build());
  }

  static byte[] seal(Adapter adapter) {
    try {
      return Reconstructor.standard().seal(adapter).toBytes();
    } catch (LimitExceededException e) {
      throw new AssertionError(e);
    }
  }

  /** Names a digest that it does not reconstruct to; sound in every other way. */
  static byte[] withWrongDigest(long seed) {
    try {
      AdapterFile sound = AdapterFile.read(file(seed));
      return new AdapterFile(sound.adapter(), Sha256.hash(new byte[] {1})).toBytes();
    } catch (AdapterException e) {
      throw new AssertionError(e);
    }
  }
}
