#!/usr/bin/env bash
# Runs a program of the JVM without its warning about the vector module, as ./nola does: what is printed before the program starts passes
# through the filter; then the program puts stderr back (-Dnola.stderr=3).
exec 3>&2 2> >(exec grep --line-buffered -v '^WARNING: Using incubator modules: jdk.incubator.vector$' >&3)
exec "$@"
