/**
 * The Java library: what an application does with adapters and a registry.
 *
 * <ul>
 *   <li>{@link dev.nola.client.registry} searches, pulls, publishes.
 *   <li>{@link dev.nola.client.jobs} submits jobs, and does them for a worker.
 *   <li>{@link dev.nola.client.cache} keeps what was pulled.
 *   <li>{@link dev.nola.client.safetensors} reads and writes models.
 *   <li>{@link dev.nola.client.merge} adds adapters to a model's weights.
 *   <li>{@link dev.nola.client.export} turns an adapter into a LoRA that other programs load.
 *   <li>{@link dev.nola.client.lora} turns a LoRA that PEFT saved into an adapter.
 *   <li>{@link dev.nola.client.pool} holds many adapters and activates them on demand.
 *   <li>{@link dev.nola.client.lock} pins adapters and proves that they still reconstruct to the
 *       same bits.
 *   <li>{@link dev.nola.client.synthetic} makes adapters with random coefficients.
 * </ul>
 */
@NullMarked
package dev.nola.client;

import org.jspecify.annotations.NullMarked;
