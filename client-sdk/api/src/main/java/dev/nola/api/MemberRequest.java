package dev.nola.api;

/** The role that an account should have. */
public record MemberRequest(Role role) {}
