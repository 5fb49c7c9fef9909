package dev.nola.gpu.check;

import java.nio.file.Path;

/**
 * What is checked.
 *
 * @param vectors the folder of the conformance vectors
 * @param bitsOnly whether nothing is measured
 * @param blocks number of blocks of the models; 0 for all
 * @param repetitions how often each piece of work is measured
 */
record Options(Path vectors, boolean bitsOnly, int blocks, int repetitions) {
  private static final int REPETITIONS = 50;

  /** Parses the command line. */
  static Options parse(String[] args) {
    Path vectors = null;
    boolean bitsOnly = false;
    int blocks = 0;
    int repetitions = REPETITIONS;
    for (int i = 0; i < args.length; i++) {
      switch (args[i]) {
        case "--bits-only" -> bitsOnly = true;
        case "--blocks" -> blocks = number(args, ++i);
        case "--repetitions" -> repetitions = number(args, ++i);
        default -> vectors = Path.of(args[i]);
      }
    }
    if (vectors == null) {
      throw new IllegalArgumentException(
          "folder of the conformance vectors missing; usage: FOLDER [--bits-only] [--blocks N] [--repetitions N]");
    }
    return new Options(vectors, bitsOnly, blocks, repetitions);
  }

  private static int number(String[] args, int index) {
    int number = index < args.length ? Integer.parseInt(args[index]) : 0;
    if (number < 1) {
      throw new IllegalArgumentException(
          "invalid %s; must be followed by a positive number".formatted(args[index - 1]));
    }
    return number;
  }
}
