/** The audit log of all changes; rows are only added. */
@NullMarked
package dev.nola.registry.audit;

import org.jspecify.annotations.NullMarked;
