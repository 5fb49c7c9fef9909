/** A log of everything that was changed, to which rows are only ever added. */
@NullMarked
package dev.nola.registry.audit;

import org.jspecify.annotations.NullMarked;
