/**
 * Models in the safetensors format: memory-mapped reading, strict by the format's own rules, and
 * streaming writing.
 *
 * <p>A file is an unsigned 64-bit length N, little-endian; N bytes of JSON that begin with <code>{
 * </code> and may end with spaces; then the tensors' bytes. The JSON maps a tensor's name to its
 * type, shape and {@code data_offsets}, which count from the end of the JSON; {@code __metadata__}
 * maps texts to texts. Tensors fill the rest of the file without holes or overlaps.
 */
@NullMarked
package dev.nola.client.safetensors;

import org.jspecify.annotations.NullMarked;
