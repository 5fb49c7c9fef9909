/** Wire records: requests to and responses of the registry. Uses format-spec only. */
@NullMarked
package dev.nola.api;

import org.jspecify.annotations.NullMarked;
