/** Who may do what: namespaces, members, tokens, and limits on how often. */
@NullMarked
package dev.nola.registry.access;

import org.jspecify.annotations.NullMarked;
