/**
 * A folder of adapters that mlx-lm loads; see {@link dev.nola.client.export.mlx.MlxFormat}.
 *
 * <p>{@code adapters.safetensors} has {@code <module>.lora_a} of in×r and {@code <module>.lora_b}
 * of r×out, and the module's weight of out×in changes by scale · lora_bᵀ·lora_aᵀ. Here scale is 1.
 */
@NullMarked
package dev.nola.client.export.mlx;

import org.jspecify.annotations.NullMarked;
