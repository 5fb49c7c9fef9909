/**
 * A file of adapters that ONNX Runtime loads; see {@link
 * dev.nola.client.export.onnx.OnnxAdapterFormat}.
 *
 * <p>The file is a FlatBuffer ({@code adapter_schema.fbs} of ONNX Runtime) of named tensors, which
 * become inputs of the model. For each module they are {@code <module>.lora_A.weight} of in×r and
 * {@code <module>.lora_B.weight} of r×out, as Olive's {@code convert-adapters} names them, and the
 * module's output changes by x·lora_A·lora_B.
 */
@NullMarked
package dev.nola.client.export.onnx;

import org.jspecify.annotations.NullMarked;
