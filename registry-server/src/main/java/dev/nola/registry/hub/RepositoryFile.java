package dev.nola.registry.hub;

import dev.nola.digest.Sha256;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A file of a repository, with the ids that Git has for it. */
sealed interface RepositoryFile {
  /** Returns its name; repositories have no folders. */
  String path();

  /** Returns the size in bytes. */
  long size();

  /** Returns the SHA-256 of its bytes. */
  Sha256 digest();

  /** Returns the id of its blob in Git: SHA-1, 40 hex digits. */
  String id();

  /** Returns the entity tag: 64 hex digits if, and only if, they are its SHA-256. */
  String tag();

  /** A small file, which Git keeps. */
  record Text(String path, byte[] bytes) implements RepositoryFile {
    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public Sha256 digest() {
      return Sha256.hash(bytes);
    }

    @Override
    public String id() {
      return blobId(bytes);
    }

    @Override
    public String tag() {
      return id();
    }
  }

  /** A file that is in Git's Large File Storage; Git itself keeps a pointer. */
  record Large(String path, long size, Sha256 digest) implements RepositoryFile {
    /** Returns the pointer, in the format of the Git LFS specification. */
    byte[] pointer() {
      return "version https://git-lfs.github.com/spec/v1\noid %s\nsize %d\n"
          .formatted(digest, size)
          .getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public String id() {
      return blobId(pointer());
    }

    @Override
    public String tag() {
      return digest.hex();
    }
  }

  private static String blobId(byte[] content) {
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    blob.writeBytes(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
    blob.writeBytes(content);
    try {
      // What Git names content by; nothing relies on it being hard to collide.
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-1").digest(blob.toByteArray()));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-1", e);
    }
  }
}
