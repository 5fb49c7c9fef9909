package dev.nola.client.http;

import java.time.Duration;

/**
 * How long to wait.
 *
 * @param connect for a connection
 * @param request for an answer to begin, and for each next byte of a body
 * @param rate at which files must come
 */
public record Timeouts(Duration connect, Duration request, MinimumRate rate) {}
