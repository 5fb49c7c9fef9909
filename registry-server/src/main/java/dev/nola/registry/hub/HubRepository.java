package dev.nola.registry.hub;

import dev.nola.client.export.peft.PeftFolder;
import dev.nola.registry.catalog.ReferenceResolver;
import dev.nola.registry.signing.ModelSigner;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A version of an adapter, as a revision of a repository.
 *
 * @param version of the adapter
 * @param folder what it has beside the adapter's file
 * @param files of the repository, the signature of the others among them
 */
record HubRepository(
    ReferenceResolver.Located version, HubFolder folder, List<RepositoryFile> files) {
  /** Name of the adapter's file. */
  static final String ADAPTER = "adapter.nola";

  HubRepository {
    files = List.copyOf(files);
  }

  /**
   * Lists the files of a version and signs them.
   *
   * @param version of the adapter
   * @param folder what it has beside the adapter's file
   * @param signer of the files
   * @return the revision
   */
  static HubRepository of(ReferenceResolver.Located version, HubFolder folder, ModelSigner signer) {
    List<RepositoryFile> files = new ArrayList<>();
    files.add(new RepositoryFile.Text(PeftFolder.CARD, folder.card()));
    files.add(new RepositoryFile.Large(ADAPTER, version.size(), version.digest()));
    HubFolder.Lora lora = folder.lora();
    if (lora != null) {
      files.add(new RepositoryFile.Text(PeftFolder.CONFIG, lora.config()));
      files.add(new RepositoryFile.Large(PeftFolder.WEIGHTS, lora.size(), lora.digest()));
    }
    byte[] signature =
        signer.signFolder(
            version.pinnedReference(),
            files.stream().collect(Collectors.toMap(RepositoryFile::path, RepositoryFile::digest)));
    files.add(new RepositoryFile.Text(ModelSigner.FILE, signature));
    return new HubRepository(version, folder, files);
  }

  /** Returns the commit: 40 hex digits of the adapter's file. */
  String commit() {
    return ReferenceResolver.commit(version.digest());
  }
}
