package dev.nola.api;

/**
 * A member of a namespace.
 *
 * @param account the account
 * @param role what it may do in the namespace
 */
public record Member(String account, Role role) {}
