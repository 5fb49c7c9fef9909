/**
 * HTTP with a registry, for the other packages of this library; applications do not use it.
 *
 * <p>{@link dev.nola.client.http.Transport} sends a {@link dev.nola.client.http.Call}. {@code
 * Redirects} follows redirections without taking the token to another host, {@link
 * dev.nola.client.http.Retry} repeats what is safe to repeat, a {@link
 * dev.nola.client.http.RegistryProtocol} authorizes requests and turns a refusal into a {@link
 * dev.nola.client.RegistryException}, and {@code BodyReader} and {@link
 * dev.nola.client.http.EventStream} read what a successful {@link dev.nola.client.http.Answer}
 * brings.
 */
@NullMarked
package dev.nola.client.http;

import org.jspecify.annotations.NullMarked;
