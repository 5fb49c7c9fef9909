/**
 * Models in the GGUF format of llama.cpp: memory-mapped reading, versions 2 and 3, little-endian.
 *
 * <p>A file is the magic {@code GGUF}, a version, the numbers of tensors and of metadata; the
 * metadata, which are typed values by key; for each tensor its name, sizes (the innermost first),
 * type and place; then the tensors' bytes, each aligned. Quantized types store blocks of 32 or 256
 * elements of a row with their scales.
 */
@NullMarked
package dev.nola.client.gguf;

import org.jspecify.annotations.NullMarked;
