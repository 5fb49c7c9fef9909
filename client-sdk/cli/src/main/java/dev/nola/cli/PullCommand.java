package dev.nola.cli;

import dev.nola.api.name.Reference;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.oci.OciClient;
import dev.nola.client.oci.OciPulled;
import dev.nola.client.oci.OciReference;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.command.AdapterSource;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.files.Destination;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Downloads an adapter. */
@Command(
    name = "pull",
    description = {
      "Download an adapter into the cache and check its digest.",
      "Prints the file's path. An interrupted download resumes where it stopped.",
      "oci://HOST/REPOSITORY[:TAG|@DIGEST] names an artifact in a container registry, with the"
          + " login of docker login."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola pull acme/mood",
      "  nola pull acme/mood@^1.2 -o mood.nola",
      "  nola pull acme/mood --require-verified 2",
      "  nola pull oci://ghcr.io/acme/mood:1.2.0 --key sha256:…"
    })
final class PullCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "REF",
      description =
          "NAMESPACE/NAME, optionally followed by @ and a version, alias, range or digest (default: the"
              + " latest version); or oci://HOST/REPOSITORY, optionally followed by : and a tag, or"
              + " @ and a digest.")
  private String reference = "";

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      paramLabel = "FILE",
      description = "Write a copy here; must not exist.")
  private @Nullable Path destination;

  @Option(
      names = "--attestations",
      converter = OutputPath.class,
      paramLabel = "DIR",
      description =
          "Write the adapter's attestations (DSSE envelopes) and their public keys (PEM) into this"
              + " folder. Those from an OCI registry are not checked.")
  private @Nullable Path attestations;

  @Mixin private Trust trust = new Trust();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (destination != null) {
      Destination.requireNew(destination);
    }
    if (OciReference.isMeantBy(reference)) {
      return pull(OciReference.parse(reference));
    }
    int required = trust.required(output);
    Pulled pulled = source.pull(Reference.parse(reference), output);
    if (required > 0 || attestations != null) {
      try (NolaClient client = source.client(source.registry(output), output)) {
        if (required > 0) {
          AdapterFile file = AdapterSource.naming(pulled.pinned().toString(), pulled::open);
          Trust.require(required, trust.keys(), client, pulled, file);
        }
        if (attestations != null) {
          AttestationFiles.write(attestations, SignedEnvelope.fetch(client, pulled.pinned()));
        }
      }
    }
    Path path = pulled.path();
    if (destination != null) {
      pulled.copyTo(destination);
      path = destination;
    }
    Result result =
        new Result(
            pulled.pinned().adapter().toString(),
            pulled.version(),
            pulled.digest().toString(),
            path.toString(),
            pulled.fromCache(),
            pulled.yanked(),
            pulled.disputed());
    output.message(
        "%s %s%s", pulled.pinned(), pulled.digest(), pulled.fromCache() ? ", from the cache" : "");
    output.print(result, out -> out.println(result.path));
    return 0;
  }

  private int pull(OciReference artifact) throws IOException, InterruptedException {
    int required = trust.requiredByKeys("an oci:// reference", output);
    OciPulled pulled = source.pull(artifact, output);
    // Container registries accept any content, so the file is read before its path is printed.
    AdapterFile file = AdapterSource.naming(pulled.pinned().toString(), pulled::open);
    if (required > 0 || attestations != null) {
      List<SignedEnvelope> found;
      try (OciClient client = source.client(artifact, output)) {
        found = client.attestations(pulled.pinned());
      }
      if (required > 0) {
        Trust.require(required, trust.keys(), pulled, file, found);
      }
      if (attestations != null) {
        AttestationFiles.write(attestations, found);
      }
    }
    Path path = pulled.path();
    if (destination != null) {
      pulled.copyTo(destination);
      path = destination;
    }
    OciResult result =
        new OciResult(
            pulled.pinned().toString(),
            pulled.digest().toString(),
            path.toString(),
            pulled.fromCache());
    output.message(
        "%s %s%s", pulled.pinned(), pulled.digest(), pulled.fromCache() ? ", from the cache" : "");
    output.print(result, out -> out.println(result.path));
    return 0;
  }

  private record OciResult(String reference, String digest, String path, boolean fromCache) {}

  private record Result(
      String adapter,
      String version,
      String digest,
      String path,
      boolean fromCache,
      @Nullable String yanked,
      boolean disputed) {}
}
