/**
 * Models and datasets that jobs work with: files by their digest, and manifests that name them.
 * They are private by nature: for members of their namespace, workers and admins.
 */
@NullMarked
package dev.nola.registry.objects;

import org.jspecify.annotations.NullMarked;
