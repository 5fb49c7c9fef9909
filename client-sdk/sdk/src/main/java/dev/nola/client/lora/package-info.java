/**
 * Reads a LoRA of PEFT into an adapter. Start at {@link dev.nola.client.lora.LoraImport}.
 *
 * <p>PEFT stores r×in factors {@code lora_A} and out×r factors {@code lora_B}, and changes a weight
 * by scaling · lora_B·lora_A. With the generator {@code identity} the elements of the factors,
 * quantized, are the coefficients: one factor becomes side A, the other side B, and the scaling a
 * part of the layer's scale. Nothing in a file of PEFT is ignored: what cannot be expressed is
 * refused by name.
 */
@NullMarked
package dev.nola.client.lora;

import org.jspecify.annotations.NullMarked;
