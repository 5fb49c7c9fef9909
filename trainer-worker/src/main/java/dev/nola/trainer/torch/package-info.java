/**
 * Reconstruction by PyTorch, on a processor or a GPU: a backend that shares no arithmetic with the
 * kernels of format-spec, only the generators that say what a basis is.
 */
@NullMarked
package dev.nola.trainer.torch;

import org.jspecify.annotations.NullMarked;
