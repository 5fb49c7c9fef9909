package dev.nola.client.lora;

import dev.nola.format.AdapterFile;

/**
 * A LoRA of PEFT as an adapter.
 *
 * @param file the adapter with the generator {@code identity}
 * @param report what was found and what has changed
 */
public record ImportedLora(AdapterFile file, ImportReport report) {}
