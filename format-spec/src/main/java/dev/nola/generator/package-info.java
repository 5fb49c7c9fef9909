/**
 * The pseudo-random bases that an adapter combines (SPEC.md section 6): {@link
 * dev.nola.generator.Philox} turns a seed and a counter into random words, a {@link
 * dev.nola.generator.Generator} turns words into the integers of a basis, and a {@link
 * dev.nola.generator.Basis} names the basis of one side of one layer.
 *
 * <p>Everything here is integer arithmetic: no result depends on rounding, on the order of a sum or
 * on the machine.
 */
@NullMarked
package dev.nola.generator;

import org.jspecify.annotations.NullMarked;
