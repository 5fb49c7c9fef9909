/** Multiple-choice questions, answered by the log-likelihood of a language model. */
@NullMarked
package dev.nola.trainer.choice;

import org.jspecify.annotations.NullMarked;
