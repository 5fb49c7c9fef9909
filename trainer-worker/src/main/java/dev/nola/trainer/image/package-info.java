/**
 * Images: decoding of PNG and JPEG, resampling, and what turns them into the input of a vision
 * model.
 */
@NullMarked
package dev.nola.trainer.image;

import org.jspecify.annotations.NullMarked;
