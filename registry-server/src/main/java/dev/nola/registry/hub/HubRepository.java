package dev.nola.registry.hub;

import dev.nola.client.export.peft.PeftFolder;
import dev.nola.registry.catalog.ReferenceResolver;
import java.util.ArrayList;
import java.util.List;

/**
 * A version of an adapter, as a revision of a repository.
 *
 * @param version of the adapter
 * @param folder its files beside the adapter's
 */
record HubRepository(ReferenceResolver.Located version, HubFolder folder) {
  /** Name of the adapter's file. */
  static final String ADAPTER = "adapter.nola";

  /** Returns the commit: 40 hex digits of the adapter's file. */
  String commit() {
    return ReferenceResolver.commit(version.digest());
  }

  /** Returns the files, by name. */
  List<RepositoryFile> files() {
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
}
