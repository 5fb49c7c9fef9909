package dev.nola.api.attestation;

/**
 * The first element, in file order, where a backend differs from the scalar one.
 *
 * @param tensor the adapted tensor's name
 * @param side {@code A} or {@code B}
 * @param index of the element in the factor, row-major
 * @param expected bits of the scalar backend's f32, 8 hexadecimal digits
 * @param actual bits of this backend's f32, 8 hexadecimal digits
 */
public record Difference(String tensor, String side, long index, String expected, String actual) {}
