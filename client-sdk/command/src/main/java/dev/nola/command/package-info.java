/**
 * What every command line of Nola shares. A program is a {@link dev.nola.command.RootCommand} with
 * picocli commands below it; a command mixes in {@link dev.nola.command.Output} and throws what
 * goes wrong, which {@link dev.nola.command.Failures} turns into an exit code, a word and a
 * sentence.
 *
 * <p>With {@code --json} a command prints exactly one JSON document on stdout, also when it fails
 * and when its command line is wrong; everything else goes to stderr.
 */
@NullMarked
package dev.nola.command;

import org.jspecify.annotations.NullMarked;
