package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import dev.nola.generator.Philox;
import dev.nola.trainer.model.Tensors;
import java.util.stream.IntStream;

/**
 * Dropout of the input of a target's ΔW, as lora_dropout of PEFT: an element is 0 with a
 * probability, and otherwise divided by that of being kept. Which ones are 0 depends on seed,
 * target, step and part of the step alone: neither on threads, nor on how often it is asked, so
 * that a resumed run, or one that computes a block again, drops the same.
 */
final class Dropout {
  private static final double WORDS = 0x1p32;
  private static final int WORDS_PER_BLOCK = 4;

  private final double rate;
  private final long seed;
  private final int target;
  private long step;
  private int part;

  /**
   * Creates the dropout of a target.
   *
   * @param rate probability that an element is 0, from 0 to below 1
   * @param seed seed of the run
   * @param target number of the target, which no other one of the run has
   */
  Dropout(double rate, long seed, int target) {
    this.rate = rate;
    this.seed = seed;
    this.target = target;
  }

  /** Moves to a part of a step. */
  void moveTo(long newStep, int newPart) {
    step = newStep;
    part = newPart;
  }

  /** Returns the input with dropout; B×T×in or B×in. */
  NDArray apply(NDArray x) {
    float[] mask = mask(Math.toIntExact(x.size()));
    return x.mul(Tensors.create(x.getManager(), mask, x.getShape().getShape()));
  }

  /** Returns the factors of a number of elements: 0, or 1/(1 − rate). */
  float[] mask(int size) {
    float kept = (float) (1 / (1 - rate));
    long threshold = (long) (rate * WORDS);
    float[] mask = new float[size];
    IntStream.range(0, Math.ceilDiv(size, WORDS_PER_BLOCK))
        .parallel()
        .forEach(
            block -> {
              int[] words = new int[WORDS_PER_BLOCK];
              // The complement of the seed, as the seed is the key of the bases.
              Philox.block(~seed, block, target, (int) step, part, words);
              int start = block * WORDS_PER_BLOCK;
              for (int i = start; i < Math.min(size, start + WORDS_PER_BLOCK); i++) {
                mask[i] = Integer.toUnsignedLong(words[i - start]) < threshold ? 0 : kept;
              }
            });
    return mask;
  }
}
