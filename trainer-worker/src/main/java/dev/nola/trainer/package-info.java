/** Training, validation and reconstruction on real models. Stands on format-spec, api and sdk. */
@NullMarked
package dev.nola.trainer;

import org.jspecify.annotations.NullMarked;
