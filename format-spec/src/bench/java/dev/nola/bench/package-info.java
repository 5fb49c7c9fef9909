/**
 * Benchmarks of reconstruction and merging beside peers that do the same work in the same run: C
 * with AVX2 intrinsics, libtorch, and copies of the same bytes. BENCHMARKS.md says how to run them
 * and what they measured.
 */
@NullMarked
package dev.nola.bench;

import org.jspecify.annotations.NullMarked;
