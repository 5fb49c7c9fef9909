/**
 * Reconstruction by PyTorch, on a CPU or a GPU: a backend that shares no arithmetic with the
 * kernels of format-spec, only the generators of bases.
 */
@NullMarked
package dev.nola.trainer.torch;

import org.jspecify.annotations.NullMarked;
