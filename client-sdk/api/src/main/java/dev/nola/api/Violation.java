package dev.nola.api;

/**
 * A rule that a request breaks.
 *
 * @param field field that breaks it, such as {@code version} or {@code metadata.tags}
 * @param rule the value and the rule, as a sentence
 */
public record Violation(String field, String rule) {}
