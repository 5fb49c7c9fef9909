package dev.nola.cli;

import java.io.InputStream;
import java.io.PrintWriter;
import java.util.Map;

/**
 * What surrounds a command.
 *
 * @param out results
 * @param err messages and progress
 * @param in what is typed or piped in
 * @param environment variables such as {@code NOLA_TOKEN}
 * @param interactive whether {@code err} is a terminal
 */
record Console(
    PrintWriter out,
    PrintWriter err,
    InputStream in,
    Map<String, String> environment,
    boolean interactive) {}
