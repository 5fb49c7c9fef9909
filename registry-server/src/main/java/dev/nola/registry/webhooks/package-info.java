/**
 * Webhooks: who receives which events, and their delivery as <a
 * href="https://www.standardwebhooks.com">Standard Webhooks</a> describes it.
 */
@NullMarked
package dev.nola.registry.webhooks;

import org.jspecify.annotations.NullMarked;
