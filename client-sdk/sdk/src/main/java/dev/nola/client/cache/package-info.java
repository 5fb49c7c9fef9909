/**
 * The files that were pulled, kept in a folder that any number of processes share.
 *
 * <p>{@link dev.nola.client.cache.LocalCache} is what a user sees of it. {@link
 * dev.nola.client.cache.CachedFiles} and {@link dev.nola.client.cache.KnownReferences} are for
 * pulling; applications do not use them. The folder is {@code $NOLA_CACHE} or {@code
 * ${XDG_CACHE_HOME:-~/.cache}/nola}:
 *
 * <pre>
 * blobs/HEX.nola       a whole file, named by the SHA-256 of its bytes; its time is that of its last use
 * partial/HEX.part     the beginning of one that is being downloaded, or was cut
 * references/HEX.json  what a reference meant when last asked: registry, reference, version, digest
 * begun/HEX.json       the same of one whose file is in partial
 * locks/XYZ            empty; locked while a file whose digest begins so is written, read or removed
 * </pre>
 *
 * <p>Files come to {@code blobs} and {@code references} by an atomic rename, so each is whole or
 * absent. Removing any of them at any time costs a download at most.
 */
@NullMarked
package dev.nola.client.cache;

import org.jspecify.annotations.NullMarked;
