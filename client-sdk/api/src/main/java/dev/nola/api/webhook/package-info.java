/** Webhooks: requests that a registry sends when something happens in a namespace. */
@NullMarked
package dev.nola.api.webhook;

import org.jspecify.annotations.NullMarked;
