/** Imports encoders in ONNX files as models in Hugging Face folders. */
@NullMarked
package dev.nola.trainer.onnx;

import org.jspecify.annotations.NullMarked;
