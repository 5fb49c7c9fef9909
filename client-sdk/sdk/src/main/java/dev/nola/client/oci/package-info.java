/**
 * Adapters in container registries (OCI), as ModelPack artifacts: {@link
 * dev.nola.client.oci.OciClient} pushes and pulls them, and their attestations as referrers.
 */
@NullMarked
package dev.nola.client.oci;

import org.jspecify.annotations.NullMarked;
