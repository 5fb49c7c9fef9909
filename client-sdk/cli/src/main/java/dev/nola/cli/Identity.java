package dev.nola.cli;

import dev.nola.api.Scope;
import java.util.List;

/** As whom a registry knows the user. */
record Identity(String registry, String account, List<Scope> scopes) {}
