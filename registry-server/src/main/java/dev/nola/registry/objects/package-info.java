/**
 * Models and datasets that jobs work with: files by their digest, and manifests that name them.
 * They are always private: only members of their namespace, workers and admins see them.
 */
@NullMarked
package dev.nola.registry.objects;

import org.jspecify.annotations.NullMarked;
