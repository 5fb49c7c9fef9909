package dev.nola.trainer.job;

import dev.nola.trainer.method.Method;
import dev.nola.trainer.method.Scaling;
import dev.nola.trainer.method.View;

/** Default values that depend on other keys: first of all, on the method. */
final class Defaults {
  /**
   * Near the best rate from 32 to 1,024 coefficients a factor: at 32, the loss is at most 7 % above
   * that of the best (RESULTS.md).
   */
  private static final double NOLA_LEARNING_RATE = 0.1;

  /** Share of the steps in which NOLA's learning rate rises. */
  private static final double NOLA_WARMUP = 0.03;

  private static final int LORA_RANK = 8;
  private static final int LORA_BITS = 16;
  private static final int PRANC_BITS = 8;
  private static final int PRANC_COEFFICIENTS = 256;

  private Defaults() {}

  /** Sets what a job does not; nothing if its method is invalid. */
  static void fill(Settings settings) {
    Method method = settings.find(MethodKeys.METHOD);
    if (method == null) {
      return;
    }
    if (method == Method.NOLA) {
      nola(settings);
    } else {
      others(settings, method);
    }
    Long seed = settings.find(ModelKeys.SEED); // null if invalid
    if (seed != null) {
      settings.setDefault(DataKeys.SEED, seed);
      settings.setDefault(MethodKeys.INITIAL_SEED, seed);
    }
    boolean fromScratch = settings.find(ModelKeys.BASE) == null;
    settings.setDefault(
        MethodKeys.VIEW, fromScratch && method != Method.PRANC ? View.SQUARE : View.LAYER);
  }

  private static void nola(Settings settings) {
    Preset preset = settings.find(MethodKeys.PRESET);
    (preset == null ? Preset.SMALL : preset).fill(settings);
    settings.setDefault(MethodKeys.SCALING, Scaling.of(1));
    Scaling scaling = settings.find(MethodKeys.SCALING);
    if (scaling != null && scaling.isPaper()) {
      settings.requireSet(RunKeys.LEARNING_RATE, "with the paper's method.scaling");
    }
    settings.setDefault(RunKeys.LEARNING_RATE, NOLA_LEARNING_RATE);
    settings.setDefault(RunKeys.WARMUP, Schedule.Warmup.ofShare(NOLA_WARMUP));
  }

  private static void others(Settings settings, Method method) {
    settings.setDefault(MethodKeys.TARGETS, method == Method.FULL ? Keys.EVERY_TENSOR : Keys.QV);
    settings.setDefault(MethodKeys.RANK, LORA_RANK);
    settings.setDefault(MethodKeys.K, PRANC_COEFFICIENTS);
    settings.setDefault(MethodKeys.L, PRANC_COEFFICIENTS);
    settings.setDefault(MethodKeys.BITS, method == Method.LORA ? LORA_BITS : PRANC_BITS);
    settings.setDefault(MethodKeys.QUANTIZATION_AWARE, Kind.NEVER);
    Integer rank = settings.find(MethodKeys.RANK); // null if invalid
    settings.setDefault(
        MethodKeys.SCALING, Scaling.of(method == Method.LORA && rank != null ? 2.0 * rank : 1));
    settings.requireSet(RunKeys.LEARNING_RATE, "when method.name is not nola");
    settings.setDefault(RunKeys.WARMUP, Schedule.Warmup.ofSteps(0));
  }
}
