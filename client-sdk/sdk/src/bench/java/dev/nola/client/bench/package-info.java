/** The benchmarks of BENCHMARKS.md, and the model that they merge into. */
@NullMarked
package dev.nola.client.bench;

import org.jspecify.annotations.NullMarked;
