/**
 * Adapters with random coefficients, for tests and benchmarks. Start at {@link
 * dev.nola.client.synthetic.SyntheticAdapter}.
 */
@NullMarked
package dev.nola.client.synthetic;

import org.jspecify.annotations.NullMarked;
