/** What models are trained on: examples, read from files and turned into batches. */
@NullMarked
package dev.nola.trainer.data;

import org.jspecify.annotations.NullMarked;
