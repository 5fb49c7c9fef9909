package dev.nola.trainer.model;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Rotary positions (RoPE): how fast pairs of dimensions turn from token to token. Frequencies are
 * computed in f32 and stretched to a longer context as in Transformers ({@code
 * modeling_rope_utils}).
 *
 * @param theta base of the frequencies
 * @param stretch how they are stretched; null for none
 */
record RotaryPositions(double theta, @Nullable Stretch stretch) {
  private static final Object[] TYPES = {"default", "linear", "llama3", "yarn"};

  /** Keys of {@code config.json}, of newer ones and of older. */
  static final List<ConfigKey> KEYS =
      Stream.of("rope_parameters.", "rope_scaling.")
          .flatMap(
              group ->
                  Stream.of(
                      ConfigKey.only(group + "rope_type", TYPES),
                      ConfigKey.only(group + "type", TYPES),
                      ConfigKey.positive(group + "rope_theta"),
                      ConfigKey.only(group + "partial_rotary_factor", 1),
                      ConfigKey.positive(group + "beta_fast"),
                      ConfigKey.positive(group + "beta_slow"),
                      ConfigKey.notNegative(group + "mscale"),
                      ConfigKey.notNegative(group + "mscale_all_dim"),
                      ConfigKey.positive(group + "attention_factor"),
                      ConfigKey.flag(group + "truncate")))
          .toList();

  private static final double DEFAULT_THETA = 10_000;

  /** Computes stretched frequencies. */
  sealed interface Stretch {
    /**
     * Stretches a frequency.
     *
     * @param frequency 1/θ^(2i/D), in f32
     * @param pair i, the pair of dimensions
     * @param dimensions D of a head
     * @param theta base of the frequencies
     * @return the frequency, in f32
     */
    float frequency(float frequency, int pair, int dimensions, double theta);

    /** Returns what cosines and sines are multiplied by. */
    default float amplitude() {
      return 1;
    }
  }

  /** Divides all frequencies by a factor. */
  private record Linear(double factor) implements Stretch {
    @Override
    public float frequency(float frequency, int pair, int dimensions, double theta) {
      return (float) (frequency / factor);
    }
  }

  /**
   * Divides low frequencies by a factor, and leaves high ones, as Llama 3.1 does.
   *
   * @param factor the factor
   * @param low wavelengths above {@code context/low} are stretched
   * @param high wavelengths below {@code context/high} are not
   * @param context length of the context that the model was trained with first, in tokens
   */
  private record Llama3(double factor, double low, double high, double context) implements Stretch {
    @Override
    public float frequency(float frequency, int pair, int dimensions, double theta) {
      float wavelength = (float) (2 * Math.PI / frequency);
      if (wavelength > context / low) {
        return (float) (frequency / factor);
      }
      if (wavelength < context / high) {
        return frequency;
      }
      float smooth = (float) (((float) (context / wavelength) - low) / (high - low));
      return (1 - smooth) * (float) (frequency / factor) + smooth * frequency;
    }
  }

  /**
   * Divides low frequencies by a factor, leaves high ones, and mixes both between (YaRN).
   *
   * @param factor the factor
   * @param fast turns in the first context above which a frequency is left
   * @param slow turns in the first context below which a frequency is divided
   * @param context length of the first context, in tokens
   * @param truncate whether the limits are rounded to whole pairs of dimensions
   * @param amplitude what cosines and sines are multiplied by
   */
  private record Yarn(
      double factor, double fast, double slow, double context, boolean truncate, float amplitude)
      implements Stretch {
    @Override
    public float frequency(float frequency, int pair, int dimensions, double theta) {
      double low = pairOf(fast, dimensions, theta);
      double high = pairOf(slow, dimensions, theta);
      low = Math.max(truncate ? Math.floor(low) : low, 0);
      high = Math.min(truncate ? Math.ceil(high) : high, dimensions - 1);
      if (low == high) {
        high += 0.001;
      }
      float ramp = Math.clamp((float) ((pair - low) / (high - low)), 0, 1);
      float divided = (float) (1 / (factor * (1 / (double) frequency)));
      return divided * ramp + frequency * (1 - ramp);
    }

    private double pairOf(double turns, int dimensions, double theta) {
      return dimensions * Math.log(context / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    }
  }

  /** Reads {@code rope_parameters} of newer configs, or {@code rope_scaling} of older ones. */
  static RotaryPositions of(ModelConfig config) throws UnsupportedModelException {
    String group =
        config.states("rope_parameters.rope_type") ? "rope_parameters." : "rope_scaling.";
    String type =
        config.states(group + "rope_type")
            ? config.text(group + "rope_type")
            : config.text(group + "type");
    double theta =
        config.real("rope_parameters.rope_theta", config.real("rope_theta", DEFAULT_THETA));
    return new RotaryPositions(
        theta,
        switch (type) {
          case "linear" -> new Linear(required(config, group + "factor"));
          case "llama3" ->
              new Llama3(
                  required(config, group + "factor"),
                  required(config, group + "low_freq_factor"),
                  required(config, group + "high_freq_factor"),
                  required(config, group + "original_max_position_embeddings"));
          case "yarn" -> yarn(config, group);
          default -> null;
        });
  }

  private static Yarn yarn(ModelConfig config, String group) throws UnsupportedModelException {
    double factor = required(config, group + "factor");
    double mscale = config.real(group + "mscale", 0);
    double mscaleAll = config.real(group + "mscale_all_dim", 0);
    double standard =
        mscale != 0 && mscaleAll != 0
            ? mscale(factor, mscale) / mscale(factor, mscaleAll)
            : mscale(factor, 1);
    String context = group + "original_max_position_embeddings";
    return new Yarn(
        factor,
        config.real(group + "beta_fast", 32),
        config.real(group + "beta_slow", 1),
        config.states(context)
            ? required(config, context)
            : required(config, "max_position_embeddings"),
        !config.states(group + "truncate") || config.flag(group + "truncate"),
        (float) config.real(group + "attention_factor", standard));
  }

  private static double mscale(double factor, double mscale) {
    return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
  }

  private static double required(ModelConfig config, String path) throws UnsupportedModelException {
    double value = config.real(path, 0);
    if (!(value > 0)) {
      throw config.invalid(path, "a number above 0");
    }
    return value;
  }

  /** Returns what cosines and sines are multiplied by. */
  float amplitude() {
    return stretch == null ? 1 : stretch.amplitude();
  }

  /**
   * Returns the frequencies of all pairs of dimensions.
   *
   * @param dimensions D of a head
   * @return D/2 angles per token, in radians
   */
  float[] frequencies(int dimensions) {
    float[] frequencies = new float[dimensions / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float plain = (float) (1 / StrictMath.pow(theta, 2.0 * i / dimensions));
      frequencies[i] = stretch == null ? plain : stretch.frequency(plain, i, dimensions, theta);
    }
    return frequencies;
  }
}
