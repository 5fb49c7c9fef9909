package dev.nola.format;

import dev.nola.digest.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * The model that an adapter is for.
 *
 * @param name such as a Hugging Face repository name; empty if unknown
 * @param revision such as a commit; empty if unknown
 * @param identity digest of the adapted tensors (SPEC.md section 9), or null if unknown
 */
public record BaseModel(String name, String revision, @Nullable Sha256 identity) {
  /** A base model of which nothing is known. */
  public static final BaseModel UNKNOWN = new BaseModel("", "", null);

  /**
   * Checks the texts.
   *
   * @throws IllegalArgumentException if a text is longer than {@link Limits#NAME_BYTES} or has a
   *     control character
   */
  public BaseModel {
    Text.requireName("base model name", name, 0);
    Text.requireName("base model revision", revision, 0);
  }
}
