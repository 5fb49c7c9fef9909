package dev.nola.registry.signing;

import dev.nola.digest.Sha256;
import dev.nola.files.AtomicFile;
import dev.nola.files.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** Signs the files of a release, as the registry signs those of an adapter. */
final class FolderSigner {
  private FolderSigner() {}

  /**
   * Signs the files of a folder and writes the signature, {@value ModelSigner#FILE}, into it.
   *
   * @param args the file of a P-256 key, the name of what is signed, and the folder
   * @throws IOException if a file cannot be read or written
   * @throws IllegalArgumentException if the key is not one
   */
  public static void main(String[] args) throws IOException {
    EcKey key = EcKey.parse(Files.readString(Path.of(args[0])));
    Path folder = Path.of(args[2]);
    Path signature = folder.resolve(ModelSigner.FILE);
    Map<String, Sha256> digests = new TreeMap<>();
    for (Path file : FileTree.files(folder)) {
      if (!file.equals(signature)) {
        digests.put(folder.relativize(file).toString(), Sha256.hash(file));
      }
    }
    AtomicFile.write(signature, new ModelSigner(key).signFolder(args[1], digests));
  }
}
