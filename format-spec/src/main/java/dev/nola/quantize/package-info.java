/**
 * Quantization of trained f32 coefficients to the codes that a file stores (paper, section 3.2).
 * Start at {@link dev.nola.quantize.Quantizer}.
 */
@NullMarked
package dev.nola.quantize;

import org.jspecify.annotations.NullMarked;
