/**
 * Adapters as repositories of the Hugging Face Hub, so that its clients read them ({@code
 * HF_ENDPOINT}). Each has the adapter's file and, if PEFT can express it, a LoRA whose tensors are
 * made while they are sent.
 */
@NullMarked
package dev.nola.registry.hub;

import org.jspecify.annotations.NullMarked;
