package dev.nola.client.export.peft;

import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import java.lang.foreign.MemorySegment;

/**
 * A tensor that is stored whole.
 *
 * @param module path in the loaded model of the module that PEFT keeps for it
 * @param slot its key, type and shape
 * @param data its elements
 */
record SavedTensor(String module, Slot slot, MemorySegment data) {}
