import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Rewrites the jars of a folder and its folders without compression, so that the archive which they
 * become part of can compress them all together. Their entries keep order, names, times and bytes.
 */
final class StoreJars {
  private StoreJars() {}

  /** Rewrites the jars of the folder that the only argument names. */
  public static void main(String[] arguments) throws IOException {
    List<Path> jars;
    try (Stream<Path> files = Files.walk(Path.of(arguments[0]))) {
      jars = files.filter(file -> file.toString().endsWith(".jar")).toList();
    }
    for (Path jar : jars) {
      Path stored = jar.resolveSibling(jar.getFileName() + ".stored");
      rewrite(jar, stored);
      Files.move(stored, jar, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void rewrite(Path jar, Path stored) throws IOException {
    try (ZipFile from = new ZipFile(jar.toFile());
        ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(stored))) {
      for (ZipEntry entry : Collections.list(from.entries())) {
        byte[] bytes;
        try (InputStream content = from.getInputStream(entry)) {
          bytes = content.readAllBytes();
        }
        CRC32 checksum = new CRC32();
        checksum.update(bytes);
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setTimeLocal(entry.getTimeLocal());
        copy.setMethod(ZipEntry.STORED);
        copy.setSize(bytes.length);
        copy.setCrc(checksum.getValue());
        to.putNextEntry(copy);
        to.write(bytes);
        to.closeEntry();
      }
    }
  }
}
