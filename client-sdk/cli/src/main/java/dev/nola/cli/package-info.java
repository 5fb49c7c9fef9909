/**
 * The {@code nola} command line. Results go to stdout, messages to stderr; every command has {@code
 * --json}. Start at {@link dev.nola.cli.Main}.
 */
@NullMarked
package dev.nola.cli;

import org.jspecify.annotations.NullMarked;
