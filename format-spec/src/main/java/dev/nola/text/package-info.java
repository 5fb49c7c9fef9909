/** Text in messages: labels, suggestions, and text that strangers may have written. */
@NullMarked
package dev.nola.text;

import org.jspecify.annotations.NullMarked;
