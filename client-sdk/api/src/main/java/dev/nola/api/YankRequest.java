package dev.nola.api;

/** Why a version is withdrawn from new use. */
public record YankRequest(String reason) {}
