package dev.nola.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.api.AdapterChange;
import dev.nola.api.AdapterDetails;
import dev.nola.api.Verification;
import dev.nola.api.VersionDetails;
import dev.nola.api.Visibility;
import dev.nola.api.name.Reference;
import dev.nola.client.RegistryException;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Published;
import dev.nola.command.AdapterSource;
import dev.nola.command.Output;
import dev.nola.command.ProgressBar;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.text.Label;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Publishes an adapter. */
@Command(
    name = "publish",
    description = {
      "Publish an adapter as a version, which never changes afterwards.",
      "It is read and verified here before it is sent. Publishing the same bytes again"
          + " changes nothing.",
      "Changes of an existing adapter by --visibility or --description are printed; nola adapter edit"
          + " makes them without publishing."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola publish mood.nola acme/mood@1.0.0 --alias prod",
      "  nola publish ann/mood@2.1.0 acme/mood@1.0.0"
    })
final class PublishCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "FILE_OR_REF",
      description = "The adapter, or a LoRA of PEFT.")
  private String adapter = "";

  @Parameters(
      index = "1",
      paramLabel = "NAMESPACE/NAME@VERSION",
      description = "The name and version to publish; the version follows SemVer 2.")
  private String as = "";

  @Option(
      names = "--alias",
      paramLabel = "ALIAS",
      description = "After publishing, point this alias to the version.")
  private @Nullable String alias;

  @Option(
      names = "--visibility",
      paramLabel = "VISIBILITY",
      description =
          "Who sees the adapter: public, or private for members of its namespace. Changes an"
              + " adapter that exists, if you own its namespace. Default: public if it is new.")
  private @Nullable Visibility visibility;

  @Option(names = "--private", description = "The same as --visibility private.")
  private boolean isPrivate;

  @Option(
      names = "--description",
      paramLabel = "TEXT",
      description =
          "Describe the adapter in the registry (default: by the description in its latest file).")
  private @Nullable String description;

  @Option(names = "--create-namespace", description = "Create the namespace if it does not exist.")
  private boolean createNamespace;

  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call()
      throws IOException, InterruptedException, HintedException, ImportRefusedException {
    if (isPrivate && visibility == Visibility.PUBLIC) {
      throw new ParameterException(
          output.command().commandLine(), "--private contradicts --visibility public; pass one");
    }
    Reference reference = NumberedVersion.parse(as);
    AdapterSource.Opened opened = source.open(adapter, output);
    if (opened.converted() == null) {
      AdapterSource.naming(opened.name(), () -> Reconstructor.standard().verify(opened.file()));
      return publish(reference, opened.path(), opened);
    }
    Path converted = Files.createTempFile("nola-", AdapterFile.EXTENSION);
    try {
      opened.file().write(converted);
      return publish(reference, converted, opened);
    } finally {
      Files.delete(converted);
    }
  }

  private int publish(Reference reference, Path path, AdapterSource.Opened opened)
      throws IOException, InterruptedException, HintedException {
    Published published;
    List<String> changes = new ArrayList<>();
    try (NolaClient client = source.client(source.registry(output), output);
        ProgressBar bar = output.bar("publish")) {
      if (createNamespace) {
        client.namespaces().create(reference.adapter().namespace());
      }
      Visibility wanted = isPrivate ? Visibility.PRIVATE : visibility;
      AdapterDetails before =
          wanted == null && description == null
              ? null
              : client.adapters().find(reference.adapter()).orElse(null);
      if (before != null && wanted != null && before.visibility() != wanted) {
        // Before a version is added: a private one must not be public for a moment.
        client.adapters().change(reference.adapter(), new AdapterChange(null, wanted));
        changes.add(
            "visibility from %s to %s".formatted(Label.of(before.visibility()), Label.of(wanted)));
      }
      published =
          client
              .adapters()
              .publish(
                  reference.adapter(),
                  reference.version(),
                  path,
                  before == null ? wanted : null,
                  bar);
      if (description != null && (before == null || !before.description().equals(description))) {
        client.adapters().change(reference.adapter(), new AdapterChange(description, null));
        if (before != null) {
          changes.add(
              "description from \"%s\" to \"%s\"".formatted(before.description(), description));
        }
      }
      if (alias != null) {
        client.aliases().set(reference.adapter(), alias, reference.version());
      }
    } catch (RegistryException e) {
      throw new HintedException(
          e,
          switch (e.kind()) {
            case NOT_FOUND ->
                createNamespace ? "" : "; pass --create-namespace to create the namespace";
            case CONFLICT -> "; publish different bytes under a new version";
            default -> "";
          });
    }
    VersionDetails version = published.version();
    output.print(
        new Result(
            reference.toString(),
            published.isNew(),
            version.digest().toString(),
            version.size(),
            version.verification(),
            alias,
            opened.conversions(),
            changes),
        out -> {
          out.printf(
              "%s %s %s%n",
              published.isNew() ? "published" : "already published:", reference, version.digest());
          changes.forEach(change -> out.printf("changed %s%n", change));
        });
    return 0;
  }

  /**
   * What {@code --json} prints. It has eight components because JSON has them side by side.
   *
   * @param reference by version number
   * @param isNew whether the version did not exist before
   * @param digest of the file
   * @param size of the file in bytes
   * @param verification of the version so far
   * @param alias that points to it now; null for none
   * @param converted the LoRA of PEFT that was converted, if any
   * @param changes what changed about the adapter itself
   */
  private record Result(
      String reference,
      boolean isNew,
      String digest,
      long size,
      Verification verification,
      @Nullable String alias,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<AdapterSource.Converted> converted,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> changes) {}
}
