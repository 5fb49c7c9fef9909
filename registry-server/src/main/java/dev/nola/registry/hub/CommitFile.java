package dev.nola.registry.hub;

import dev.nola.client.export.peft.PeftFolder;
import dev.nola.format.AdapterFile;
import dev.nola.registry.signing.ModelSigner;
import dev.nola.registry.web.Refusal;
import java.util.Optional;

/** The files that a commit may have. All are at the root of the repository. */
enum CommitFile {
  /** An adapter; one of another name is renamed. */
  ADAPTER(HubRepository.ADAPTER),
  /** The settings of a LoRA of PEFT. */
  CONFIG(PeftFolder.CONFIG),
  /** The factors of a LoRA of PEFT. */
  WEIGHTS(PeftFolder.WEIGHTS),
  /** How the commit becomes a version. */
  SETTINGS("nola.yaml"),
  /** The model card, which the registry writes itself. */
  CARD(PeftFolder.CARD),
  /** The signature, which the registry makes itself. */
  SIGNATURE(ModelSigner.FILE),
  /** Which files Git's Large File Storage has, which the registry decides itself. */
  ATTRIBUTES(".gitattributes");

  private static final String RULE =
      "file not kept by the registry: %s; a commit may have one .nola file, or adapter_config.json and"
          + " adapter_model.safetensors, and with it nola.yaml and README.md: leave others out, with --exclude of"
          + " hf upload or ignore_patterns of upload_folder";

  private final String path;

  CommitFile(String path) {
    this.path = path;
  }

  /** Returns the path in the repository. */
  String path() {
    return path;
  }

  /** Returns whether it may be large, and is not text. */
  boolean isBinary() {
    return this == ADAPTER || this == WEIGHTS;
  }

  /** Returns whether the registry writes its own. */
  boolean isReplaced() {
    return this == CARD || this == SIGNATURE || this == ATTRIBUTES;
  }

  /** Returns whether a version is made of it. */
  boolean isOfAdapter() {
    return this == ADAPTER || this == CONFIG || this == WEIGHTS;
  }

  /**
   * Finds the file that a path means.
   *
   * @param path in the repository
   * @return the file
   * @throws Refusal with status 422 if the registry does not keep it
   */
  static CommitFile of(String path) {
    return find(path)
        .orElseThrow(() -> Refusal.invalid("path", RULE.formatted(Refusal.shown(path))));
  }

  private static Optional<CommitFile> find(String path) {
    if (path.endsWith(AdapterFile.EXTENSION) && path.indexOf('/') < 0) {
      return Optional.of(ADAPTER);
    }
    for (CommitFile file : values()) {
      if (file.path.equals(path)) {
        return Optional.of(file);
      }
    }
    return Optional.empty();
  }
}
