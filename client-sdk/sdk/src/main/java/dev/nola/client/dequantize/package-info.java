/**
 * Turns quantized models into plain ones: FP8, 8-bit and 4-bit bitsandbytes, and GGUF. Tensor by
 * tensor and row by row, so that memory does not grow with the model.
 */
@NullMarked
package dev.nola.client.dequantize;

import org.jspecify.annotations.NullMarked;
