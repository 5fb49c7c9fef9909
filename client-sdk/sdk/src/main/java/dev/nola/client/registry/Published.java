package dev.nola.client.registry;

import dev.nola.api.VersionDetails;

/**
 * What came of publishing.
 *
 * @param version the version as the registry has it
 * @param isNew false if the same bytes were published under this number already
 */
public record Published(VersionDetails version, boolean isNew) {}
