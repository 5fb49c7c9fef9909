/** Shared by all endpoints: refusals as problem details, request ids, pages. */
@NullMarked
package dev.nola.registry.web;

import org.jspecify.annotations.NullMarked;
