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
public record Options(Path vectors, boolean bitsOnly, int blocks, int repetitions) {
  private static final int REPETITIONS = 50;

  private static final String USAGE = "gpu/check [--bits-only] [--blocks N] [--repetitions N]";

  /**
   * Parses the command line.
   *
   * @param args the folder, and options
   * @return the options
   * @throws IllegalArgumentException if an argument is missing, unknown or invalid
   */
  public static Options parse(String... args) {
    Path vectors = null;
    boolean bitsOnly = false;
    int blocks = 0;
    int repetitions = REPETITIONS;
    for (int i = 0; i < args.length; i++) {
      switch (args[i]) {
        case "--bits-only" -> bitsOnly = true;
        case "--blocks" -> blocks = number(args, ++i);
        case "--repetitions" -> repetitions = number(args, ++i);
        default -> {
          if (vectors != null || args[i].startsWith("-")) {
            throw new IllegalArgumentException(
                "unknown argument: " + args[i] + "; usage: " + USAGE);
          }
          vectors = Path.of(args[i]);
        }
      }
    }
    if (vectors == null) {
      throw new IllegalArgumentException(
          "folder of the conformance vectors missing; gpu/check names it first");
    }
    return new Options(vectors, bitsOnly, blocks, repetitions);
  }

  private static int number(String[] args, int index) {
    String value = index == args.length ? "" : args[index];
    if (!value.matches("[1-9][0-9]{0,8}")) {
      throw new IllegalArgumentException(
          "invalid %s: %s; must be a number from 1 to 999999999"
              .formatted(args[index - 1], value.isEmpty() ? "nothing" : value));
    }
    return Integer.parseInt(value);
  }
}
