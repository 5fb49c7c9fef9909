/**
 * Files that appear whole or not at all, and where a user's files are kept: {@link
 * dev.nola.files.AtomicFile} replaces one file, {@link dev.nola.files.StagedOutput} creates a file
 * or folder, {@link dev.nola.files.FileTree} walks and deletes, {@link
 * dev.nola.files.UserDirectories} follows the XDG Base Directory Specification.
 */
@NullMarked
package dev.nola.files;

import org.jspecify.annotations.NullMarked;
