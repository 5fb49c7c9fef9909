/**
 * Commands for a team that shares a registry: tokens, namespaces and their members, models and
 * datasets, jobs and the workers that run them.
 */
@NullMarked
package dev.nola.cli.team;

import org.jspecify.annotations.NullMarked;
