/**
 * A folder of PEFT; see {@link dev.nola.client.export.peft.PeftFormat}.
 *
 * <p>A folder of PEFT holds {@code adapter_config.json} and {@code adapter_model.safetensors}. For
 * a module of {@code in} inputs and {@code out} outputs the latter has {@code
 * base_model.model.<module>.lora_A.weight} of r×in and {@code lora_B.weight} of out×r, and the
 * module's weight of out×in changes by lora_alpha/r · lora_B·lora_A, or, when the module stores its
 * weight as in×out ({@code fan_in_fan_out}), by the transpose of that. Here lora_alpha is r.
 */
@NullMarked
package dev.nola.client.export.peft;

import org.jspecify.annotations.NullMarked;
