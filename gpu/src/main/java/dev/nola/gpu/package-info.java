/**
 * Reconstruction on NVIDIA GPUs, with nothing but the driver installed. Start at {@link
 * dev.nola.gpu.CudaDevice}: a {@link dev.nola.gpu.AdapterPlan} is made once for a base model,
 * compressed adapters are uploaded as their files store them, and one launch computes all factors,
 * which stay on the device. The bits are those of {@code dev.nola.reconstruct}.
 */
@NullMarked
package dev.nola.gpu;

import org.jspecify.annotations.NullMarked;
