package dev.nola.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.api.name.Reference;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.oci.OciClient;
import dev.nola.client.oci.OciOrigin;
import dev.nola.client.oci.OciReference;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.AdapterSource;
import dev.nola.command.Output;
import dev.nola.command.ProgressBar;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Pushes an adapter to a container registry. */
@Command(
    name = "push",
    description = {
      "Push an adapter to a container registry (OCI), as a ModelPack artifact.",
      "It is verified before it is sent, with the login of docker login. The"
          + " attestations of a reference become referrers of the artifact. Prints an immutable"
          + " reference to the artifact, by the digest of its manifest."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola push mood.nola oci://ghcr.io/acme/mood:1.0.0",
      "  nola push acme/mood@prod oci://ghcr.io/acme/mood:prod"
    })
final class PushCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "FILE_OR_REF",
      description = "The adapter, or a LoRA of PEFT.")
  private String adapter = "";

  @Parameters(
      index = "1",
      paramLabel = "oci://HOST/REPOSITORY:TAG",
      description = "Where to push (default tag: latest).")
  private String destination = "";

  @Option(
      names = "--attestation",
      paramLabel = "FILE",
      description =
          "Add this attestation of the adapter, a DSSE envelope; its public key is read from"
              + " FINGERPRINT.pem beside it, as nola pull --attestations writes both. May be"
              + " repeated.")
  private List<Path> attestations = new ArrayList<>();

  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException, ImportRefusedException {
    OciReference artifact = OciReference.parse(destination);
    List<SignedEnvelope> added = new ArrayList<>();
    for (Path attestation : attestations) {
      SignedEnvelope read = AttestationFiles.read(attestation);
      if (read.key() == null) {
        output.warn(
            "no public key for %s: it cannot be checked with --key; put the key into %s.pem in the same folder"
                .formatted(attestation, read.keyId().hex()));
      }
      added.add(read);
    }
    AdapterSource.Opened opened = source.open(adapter, output);
    if (opened.converted() == null) {
      AdapterSource.naming(opened.name(), () -> Reconstructor.standard().verify(opened.file()));
      added.addAll(known(opened));
      return push(artifact, opened, opened.path(), added);
    }
    Path converted = Files.createTempFile("nola-", AdapterFile.EXTENSION);
    try {
      opened.file().write(converted);
      return push(artifact, opened, converted, added);
    } finally {
      Files.delete(converted);
    }
  }

  private OciOrigin origin(String name) throws IOException {
    if (OciReference.isMeantBy(adapter)) {
      return OciOrigin.of(OciReference.parse(name));
    }
    return AdapterSource.isFile(adapter)
        ? OciOrigin.of(Path.of(name))
        : OciOrigin.of(Reference.parse(name));
  }

  /** Fetches the attestations that the adapter's registry has. */
  private List<SignedEnvelope> known(AdapterSource.Opened opened)
      throws IOException, InterruptedException {
    if (OciReference.isMeantBy(adapter)) {
      OciReference pinned = OciReference.parse(opened.name());
      try (OciClient client = source.client(pinned, output)) {
        return client.attestations(pinned);
      }
    }
    if (AdapterSource.isFile(adapter)) {
      return List.of();
    }
    try (NolaClient client = source.client(source.registry(output), output)) {
      return SignedEnvelope.fetch(client, Reference.parse(opened.name()));
    }
  }

  private int push(
      OciReference artifact, AdapterSource.Opened opened, Path file, List<SignedEnvelope> added)
      throws IOException, InterruptedException {
    Sha256 digest = Sha256.hash(file);
    for (int i = 0; i < attestations.size(); i++) { // the first of those that are added
      AttestationFiles.requireAbout(attestations.get(i), added.get(i).envelope(), digest);
    }
    OciOrigin origin = origin(opened.name());
    OciReference pinned;
    try (OciClient client = source.client(artifact, output);
        ProgressBar bar = output.bar("push")) {
      pinned = client.push(file, origin, bar);
      client.attach(pinned, added);
    }
    output.message(
        "pushed %s to %s with %s",
        opened.name(), artifact, Output.count(added.size(), "attestation"));
    output.print(
        new Result(
            artifact.toString(),
            pinned.toString(),
            digest.toString(),
            added.size(),
            opened.conversions()),
        out -> out.println(pinned));
    return 0;
  }

  /**
   * What {@code --json} prints.
   *
   * @param reference by its tag
   * @param pinned by the digest of its manifest
   * @param digest of the adapter's file
   * @param attestations the number of its attestations that were pushed
   * @param converted the LoRA of PEFT that was converted, if any
   */
  private record Result(
      String reference,
      String pinned,
      String digest,
      int attestations,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<AdapterSource.Converted> converted) {}
}
