/**
 * The whole system on real input, in one command: a registry and workers as processes of their own,
 * MiniLM and WordNet's glosses, a training job, verification, merge and export, and a table of what
 * was measured on the way. {@link dev.nola.demo.Demo} has the steps in their order.
 */
@NullMarked
package dev.nola.demo;

import org.jspecify.annotations.NullMarked;
