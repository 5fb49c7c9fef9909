package dev.nola.client.lora;

import dev.nola.client.peft.FloatRounding;
import dev.nola.client.peft.ProductError;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.quantize.Quantized;
import dev.nola.quantize.Quantizer;
import java.util.ArrayList;
import java.util.List;

/**
 * The layers of one pair of factors, and what quantizing them has changed.
 *
 * @param key the path of the module, or of the parameter
 * @param layers one, or one an expert
 * @param quantization the error of the quantized factors
 * @param f16 the error that the factors rounded to f16 would have
 * @param wrong a sentence for each value that cannot be expressed
 */
record QuantizedModule(
    String key,
    List<Layer> layers,
    ProductError quantization,
    ProductError f16,
    List<String> wrong) {
  /** The largest value of f16. */
  private static final float MAX_F16 = 65504;

  /**
   * Quantizes the factors of a pair.
   *
   * @param scaling multiplies lora_B·lora_A
   * @param bits width of a code, 1 to 16
   * @param checkpoint is run every now and then, and may end the work by an exception
   */
  static QuantizedModule of(
      LoraPair pair, Target target, double scaling, int bits, Runnable checkpoint) {
    checkpoint.run();
    List<String> wrong = new ArrayList<>();
    float[] a = Elements.read(pair.a(), wrong);
    float[] b = Elements.read(pair.b(), wrong);
    List<Layer> layers = new ArrayList<>();
    ProductError quantization = ProductError.NONE;
    ProductError f16 = ProductError.NONE;
    if (wrong.isEmpty()) {
      for (StoredProduct original : StoredProduct.of(pair, target, a, b)) {
        StoredProduct.Balanced balanced = original.balanced();
        StoredProduct product = balanced.product();
        double multiplier = scaling * balanced.factor();
        checkpoint.run();
        Quantized sideA =
            Quantizer.LEAST_SQUARES.quantize(product.sideA(scaling < 0 ? -1 : 1), bits);
        checkpoint.run();
        Quantized sideB = Quantizer.LEAST_SQUARES.quantize(product.sideB(), bits);
        checkpoint.run();
        float scale;
        try {
          scale = Quantizer.scale(sideA.step(), sideB.step(), Math.abs(multiplier));
          layers.add(
              new Layer(
                  product.tensor(),
                  product.shape(),
                  product.slice(),
                  product.rows(),
                  product.cols(),
                  0,
                  scale,
                  new LowRank(product.rank(), sideA.codes(), sideB.codes())));
        } catch (IllegalArgumentException e) {
          wrong.add(target.key() + ": " + e.getMessage());
          break;
        }
        if (scale == 0 && sideA.step() > 0 && sideB.step() > 0 && scaling != 0) {
          wrong.add(
              "%s: its ΔW is smaller than every scale; the smallest is %s"
                  .formatted(target.key(), Layer.MIN_SCALE));
          break;
        }
        ProductError error = error(product, multiplier, sideA, sideB, scale);
        quantization = quantization.plus(error);
        checkpoint.run();
        f16 = f16.plus(errorOfF16(original, scaling, error.norm()));
      }
    }
    return new QuantizedModule(target.key(), layers, quantization, f16, wrong);
  }

  /** The error of vₐ·v_b·scale, but for the rounding of vₐ·scale to f32. */
  private static ProductError error(
      StoredProduct product, double scaling, Quantized sideA, Quantized sideB, float scale) {
    double stepB = sideA.step() == 0 ? 0 : scale / sideA.step();
    return ProductError.of(
        times(product.a(), Math.signum(scaling)),
        times(product.b(), Math.abs(scaling)),
        columns(sideA.codes().values(), sideA.step(), product.rank()),
        rows(sideB.codes().values(), stepB, product.rank()));
  }

  private static ProductError errorOfF16(StoredProduct product, double scaling, double norm) {
    return ProductError.of(
        product.a(),
        times(product.b(), scaling),
        inF16(product.a()),
        times(inF16(product.b()), scaling),
        norm);
  }

  private static double[][] times(double[][] vectors, double factor) {
    double[][] result = new double[vectors.length][vectors[0].length];
    for (int t = 0; t < vectors.length; t++) {
      for (int i = 0; i < vectors[t].length; i++) {
        result[t][i] = vectors[t][i] * factor;
      }
    }
    return result;
  }

  private static double[][] inF16(double[][] vectors) {
    double[][] result = new double[vectors.length][vectors[0].length];
    for (int t = 0; t < vectors.length; t++) {
      for (int i = 0; i < vectors[t].length; i++) {
        float rounded = FloatRounding.round((float) vectors[t][i], DType.F16);
        result[t][i] = Math.clamp(rounded, -MAX_F16, MAX_F16);
      }
    }
    return result;
  }

  private static double[][] columns(int[] values, double step, int rank) {
    double[][] columns = new double[rank][values.length / rank];
    for (int t = 0; t < rank; t++) {
      for (int i = 0; i < columns[t].length; i++) {
        columns[t][i] = values[i * rank + t] * step;
      }
    }
    return columns;
  }

  private static double[][] rows(int[] values, double step, int rank) {
    double[][] rows = new double[rank][values.length / rank];
    for (int t = 0; t < rank; t++) {
      for (int j = 0; j < rows[t].length; j++) {
        rows[t][j] = values[t * rows[t].length + j] * step;
      }
    }
    return rows;
  }
}
