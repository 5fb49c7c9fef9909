/**
 * A file of GGUF that llama.cpp and Ollama load beside their base model; see {@link
 * dev.nola.client.export.gguf.GgufFormat}.
 *
 * <p>For each module it has {@code blk.<layer>.<module>.weight.lora_a} of r×in and {@code …lora_b}
 * of out×r, and the weight of out×in changes by {@code adapter.lora.alpha}/r · lora_b·lora_a.
 */
@NullMarked
package dev.nola.client.export.gguf;

import org.jspecify.annotations.NullMarked;
