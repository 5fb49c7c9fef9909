/**
 * The arithmetic of reconstruction (SPEC.md section 7) behind one interface, {@link
 * dev.nola.kernel.Kernel}, whose implementations may differ in speed but not in a single bit.
 * {@link dev.nola.kernel.Kernels} is the one place that chooses between them.
 */
@NullMarked
package dev.nola.kernel;

import org.jspecify.annotations.NullMarked;
