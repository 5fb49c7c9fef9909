/**
 * Turns an adapter into a LoRA that other programs load. Start at {@link
 * dev.nola.client.export.LoraExport}; each package below is an {@link
 * dev.nola.client.export.ExportFormat}.
 *
 * <p>What all formats share is here: where the loaded model has the adapter's modules, what is
 * refused, the factors and their rounding. A format decides what it can hold, and names and lays
 * out the factors.
 */
@NullMarked
package dev.nola.client.export;

import org.jspecify.annotations.NullMarked;
