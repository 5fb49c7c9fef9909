package dev.nola.registry.hub;

import dev.nola.client.export.peft.PeftFolder;
import dev.nola.registry.catalog.ReferenceResolver;
import dev.nola.registry.signing.ModelSigner;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A version of an adapter, as a revision of a repository.
 *
 * @param version of the adapter
 * @param folder what it has beside the adapter's file
 * @param signer of its files
 */
record HubRepository(ReferenceResolver.Located version, HubFolder folder, ModelSigner signer) {
  /** Name of the adapter's file. */
  static final String ADAPTER = "adapter.nola";

  /** Returns the files, the signature of the others last. */
  List<RepositoryFile> files() {
    List<RepositoryFile> files = unsigned();
    files.add(signature(files));
    return files;
  }

  /**
   * Finds a file. The signature is made only if it is asked for.
   *
   * @param path of the file
   * @return the file, or empty if the repository has none of this path
   */
  Optional<RepositoryFile> find(String path) {
    List<RepositoryFile> files = unsigned();
    return path.equals(ModelSigner.FILE)
        ? Optional.of(signature(files))
        : files.stream().filter(file -> file.path().equals(path)).findFirst();
  }

  private List<RepositoryFile> unsigned() {
    List<RepositoryFile> files = new ArrayList<>();
    files.add(new RepositoryFile.Text(PeftFolder.CARD, folder.card()));
    files.add(new RepositoryFile.Large(ADAPTER, version.size(), version.digest()));
    HubFolder.Lora lora = folder.lora();
    if (lora != null) {
      files.add(new RepositoryFile.Text(PeftFolder.CONFIG, lora.config()));
      files.add(new RepositoryFile.Large(PeftFolder.WEIGHTS, lora.size(), lora.digest()));
    }
    return files;
  }

  private RepositoryFile signature(List<RepositoryFile> files) {
    return new RepositoryFile.Text(
        ModelSigner.FILE,
        signer.signFolder(
            version.pinnedReference(),
            files.stream()
                .collect(Collectors.toMap(RepositoryFile::path, RepositoryFile::digest))));
  }

  /** Returns the commit: 40 hex digits of the adapter's file. */
  String commit() {
    return ReferenceResolver.commit(version.digest());
  }
}
