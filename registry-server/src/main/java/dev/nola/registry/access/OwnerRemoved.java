package dev.nola.registry.access;

/**
 * Event: an account ceases to own a namespace. Sent within the transaction that changes it.
 *
 * @param namespace name of the namespace
 * @param account that owned it
 */
public record OwnerRemoved(String namespace, String account) {}
