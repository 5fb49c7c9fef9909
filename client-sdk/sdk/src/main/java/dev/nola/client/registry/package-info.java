/**
 * The client of a registry: searches, pulls, publishes.
 *
 * <pre>{@code
 * URI url = URI.create("https://registry.example");
 * try (NolaClient registry =
 *     NolaClient.builder(url).token(Credentials.standard().token(url)).build()) {
 *   AdapterFile adapter = registry.pull(Reference.parse("acme/mood@^1.2"), Progress.NONE).open();
 * }
 * }</pre>
 *
 * <h2>Guarantees</h2>
 *
 * <ul>
 *   <li>Bytes reach the caller only after they were compared with the digest that the registry
 *       names, and that with the one that was asked for; those in the cache are compared each time.
 *   <li>A download that was cut continues where it ended, in this process or another.
 *   <li>What a registry can make a client download or keep in memory is bounded, and so is the time
 *       that it may stay silent.
 *   <li>A token goes to its registry only (same scheme, host and port), and in plain HTTP only to a
 *       loopback address, unless {@code allowPlainHttp} is set. It is in no message.
 *   <li>Interrupting the calling thread ends whatever it does here with {@link
 *       java.lang.InterruptedException}.
 * </ul>
 *
 * <h2>Credentials</h2>
 *
 * <p>{@link dev.nola.client.registry.Credentials} is the file {@code credentials.json} in {@code
 * $NOLA_CONFIG} or {@code ${XDG_CONFIG_HOME:-~/.config}/nola}, readable by its owner alone:
 *
 * <pre>{@code
 * {"registries": {"https://registry.example": {"token": "nola_…"}}}
 * }</pre>
 */
@NullMarked
package dev.nola.client.registry;

import org.jspecify.annotations.NullMarked;
