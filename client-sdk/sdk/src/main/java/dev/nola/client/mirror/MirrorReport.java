package dev.nola.client.mirror;

import dev.nola.digest.Sha256;
import java.util.List;
import java.util.SortedSet;

/**
 * What came of an adapter, or of what concerns more than one.
 *
 * @param subject the adapter, a namespace or the registry
 * @param changes what was changed in the copy, such as {@code published 1.0.0}; empty if it was in
 *     step
 * @param unapproved keys whose attestations are not copied before an admin of the copy's registry
 *     has approved them
 * @param warnings what the copy cannot have
 * @param problems why it is not in step
 */
public record MirrorReport(
    String subject,
    List<String> changes,
    SortedSet<Sha256> unapproved,
    List<String> warnings,
    List<String> problems) {}
