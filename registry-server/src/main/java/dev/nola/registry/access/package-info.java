/** Access: namespaces, members, tokens, and limits on requests. */
@NullMarked
package dev.nola.registry.access;

import org.jspecify.annotations.NullMarked;
