/** What others attest about an adapter, checked here rather than believed. */
@NullMarked
package dev.nola.client.attestation;

import org.jspecify.annotations.NullMarked;
