/** Signs people in, and lets programs publish, by the statements of OpenID providers. */
@NullMarked
package dev.nola.registry.oidc;

import org.jspecify.annotations.NullMarked;
