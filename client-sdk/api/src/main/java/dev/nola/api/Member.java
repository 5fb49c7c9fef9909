package dev.nola.api;

/** An account and its role in a namespace. */
public record Member(String account, Role role) {}
