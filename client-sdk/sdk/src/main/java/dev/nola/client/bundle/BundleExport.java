package dev.nola.client.bundle;

import dev.nola.api.AdapterDetails;
import dev.nola.api.VersionDetails;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.json.NolaModule;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.digest.Sha256;
import dev.nola.files.StagedOutput;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes versions of a registry into a bundle. */
public final class BundleExport {
  /** The earliest time that ZIP can express. */
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private final NolaClient client;
  private final SortedMap<String, BundleIndex.Version> versions = new TreeMap<>();
  private final SortedMap<String, Content> contents = new TreeMap<>();

  private BundleExport(NolaClient client) {
    this.client = client;
  }

  /** Supplies the bytes of an entry when it is written: adapters are not kept in memory. */
  @FunctionalInterface
  private interface Source {
    byte[] read() throws IOException;
  }

  private record Content(Sha256 digest, long size, Source source) {
    static Content of(byte[] bytes) {
      return new Content(Sha256.hash(bytes), bytes.length, () -> bytes);
    }
  }

  /**
   * Writes versions with their files, and the attestations that count for or against them.
   *
   * @param client of their registry
   * @param references the versions, in any order; one that is named twice is written once
   * @param destination the bundle; must not exist yet
   * @param progress receives the number of bytes downloaded of the current file
   * @return the index of the bundle
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws IOException if the destination exists or cannot be written
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public static BundleIndex write(
      NolaClient client, Collection<Reference> references, Path destination, Progress progress)
      throws IOException, InterruptedException {
    try (StagedOutput output = StagedOutput.begin(destination)) {
      BundleExport export = new BundleExport(client);
      for (Reference reference : references) {
        export.add(reference, progress);
      }
      BundleIndex index = export.write(output.path());
      output.finish();
      return index;
    }
  }

  private void add(Reference reference, Progress progress)
      throws IOException, InterruptedException {
    Pulled pulled = client.pull(reference, progress);
    Reference pinned = pulled.pinned();
    VersionDetails version = client.adapters().version(pinned);
    AdapterDetails adapter = client.adapters().get(pinned.adapter());
    List<Sha256> attestations = new ArrayList<>();
    for (SignedEnvelope each : SignedEnvelope.fetch(client, pinned)) {
      Content envelope = Content.of(NolaModule.mapper().writeValueAsBytes(each.envelope()));
      attestations.add(envelope.digest);
      contents.put(EntryName.ofAttestation(envelope.digest), envelope);
      VerifyingKey key = each.key();
      if (key != null) {
        contents.put(
            EntryName.ofKey(each.keyId()),
            Content.of(key.toPem().getBytes(StandardCharsets.US_ASCII)));
      }
    }
    Path file = pulled.path();
    contents.put(
        EntryName.ofAdapter(pulled.digest()),
        new Content(pulled.digest(), Files.size(file), () -> Files.readAllBytes(file)));
    versions.put(
        pinned.toString(),
        new BundleIndex.Version(
            pinned.adapter().toString(),
            pinned.version(),
            pulled.digest(),
            adapter.description(),
            adapter.visibility(),
            version.aliases().stream().sorted(Comparator.naturalOrder()).toList(),
            version.yanked() == null ? null : version.yanked().reason(),
            attestations));
  }

  private BundleIndex write(Path file) throws IOException {
    BundleIndex index =
        new BundleIndex(
            BundleIndex.FORMAT,
            List.copyOf(versions.values()),
            contents.entrySet().stream()
                .map(
                    entry ->
                        new BundleIndex.Entry(
                            entry.getKey(), entry.getValue().digest, entry.getValue().size))
                .toList());
    try (ZipOutputStream zip =
        new ZipOutputStream(
            new BufferedOutputStream(Files.newOutputStream(file, StandardOpenOption.CREATE_NEW)))) {
      put(zip, EntryName.INDEX, Bundle.JSON.writeValueAsBytes(index));
      for (Map.Entry<String, Content> entry : contents.entrySet()) {
        byte[] bytes = entry.getValue().source.read();
        if (!Sha256.hash(bytes).equals(entry.getValue().digest)) {
          throw new IOException(
              "file changed while it was read: %s; run the command again"
                  .formatted(entry.getKey()));
        }
        put(zip, entry.getKey(), bytes);
      }
    }
    return index;
  }

  /** Stores an entry, so that the bytes do not depend on a version of a compressor. */
  private static void put(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setTimeLocal(TIME);
    entry.setSize(bytes.length);
    entry.setCrc(checksum.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
