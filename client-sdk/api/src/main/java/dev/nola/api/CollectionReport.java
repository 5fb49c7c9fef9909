package dev.nola.api;

/**
 * What a garbage collection deleted.
 *
 * @param blobs that no version referred to
 * @param bytes of those
 * @param uploads that had been cut off
 */
public record CollectionReport(long blobs, long bytes, int uploads) {}
