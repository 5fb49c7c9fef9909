/** What every endpoint shares: refusals as problem details, request ids, pages. */
@NullMarked
package dev.nola.registry.web;

import org.jspecify.annotations.NullMarked;
