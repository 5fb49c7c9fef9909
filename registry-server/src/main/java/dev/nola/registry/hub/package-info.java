/**
 * Adapters as repositories of the Hugging Face Hub, so that its clients read and publish them
 * ({@code HF_ENDPOINT}). Each has the adapter's file and, if PEFT can express it, a LoRA whose
 * tensors are made while they are sent. A commit becomes a version.
 */
@NullMarked
package dev.nola.registry.hub;

import org.jspecify.annotations.NullMarked;
