/**
 * The pages that people see: templates in {@code resources/templates}, styles and scripts in {@code
 * resources/assets}. Pages show what the services of the other packages return, and change nothing
 * without them.
 */
@NullMarked
package dev.nola.registry.pages;

import org.jspecify.annotations.NullMarked;
