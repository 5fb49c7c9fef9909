package dev.nola.cli.team;

import dev.nola.api.Namespace;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.jobs.Manifests;
import dev.nola.client.jobs.ObjectsClient;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.ProgressBar;
import dev.nola.command.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command for models or datasets, which both have a name, revisions and files. */
abstract class ObjectAction extends RegistryAction {
  final ObjectKind kind;

  ObjectAction(ObjectKind kind) {
    this.kind = kind;
  }

  /** Lists the latest revisions. */
  abstract static class ListAll extends ObjectAction {
    @Parameters(
        arity = "0..1",
        paramLabel = "NAMESPACE",
        description = "Only of this namespace; default: all that you see.")
    private @Nullable String namespace;

    ListAll(ObjectKind kind) {
      super(kind);
    }

    @Override
    final int run(NolaClient client) throws IOException, InterruptedException {
      List<String> namespaces =
          namespace == null
              ? AllPages.read("namespaces", Texts.MAX_LISTED, client.namespaces()::list).stream()
                  .map(Namespace::name)
                  .toList()
              : List.of(namespace);
      List<ObjectDetails> all = new ArrayList<>();
      for (String each : namespaces) {
        all.addAll(
            AllPages.read(
                kind.collection(),
                Texts.MAX_LISTED,
                cursor -> client.objects().list(kind, each, cursor)));
      }
      output.print(
          all,
          out -> {
            Table table =
                new Table(
                    "NAME", "REVISION", "FILES", "SIZE", "STORED", "REGISTERED", "DESCRIPTION");
            for (ObjectDetails object : all) {
              table.row(
                  object.namespace() + "/" + object.name(),
                  object.revision().toString(),
                  Integer.toString(object.files().size()),
                  Output.bytes(object.totalSize()),
                  object.stored() ? "yes" : "on workers only",
                  Texts.ago(object.createdAt()),
                  object.description());
            }
            table.print(out);
          });
      return ExitCode.OK;
    }
  }

  /** Shows a revision with its files. */
  abstract static class Show extends ObjectAction {
    @Parameters(
        paramLabel = "NAMESPACE/NAME",
        description = "The latest revision, or the one named by @sha256:….")
    private String reference = "";

    Show(ObjectKind kind) {
      super(kind);
    }

    @Override
    final int run(NolaClient client) throws IOException, InterruptedException {
      ObjectDetails object = client.objects().get(kind, reference);
      output.print(
          object,
          out -> {
            Table table =
                new Table()
                    .row(kind.label(), object.namespace() + "/" + object.name())
                    .row("revision", object.revision().toString())
                    .row("description", object.description())
                    .row("stored", object.stored() ? "yes" : "on workers only")
                    .row(
                        "registered", Texts.time(object.createdAt()) + " by " + object.createdBy());
            for (ObjectManifest.Entry file : object.files()) {
              table.row(
                  "file",
                  "%s  %s  %s".formatted(file.path(), Output.bytes(file.size()), file.digest()));
            }
            table.print(out);
          });
      return ExitCode.OK;
    }
  }

  /** Uploads files and registers them as a revision. */
  abstract static class Push extends ObjectAction {
    private static final Duration UPLOAD = Duration.ofMinutes(30);

    @Parameters(
        index = "1",
        paramLabel = "NAMESPACE/NAME",
        description = "The name; a namespace that you are a member of.")
    private String name = "";

    @Option(names = "--description", paramLabel = "TEXT", description = "Text for people.")
    private @Nullable String description;

    Push(ObjectKind kind) {
      super(kind);
    }

    @Override
    final Duration requestTimeout() {
      return UPLOAD;
    }

    private String missing(Path source) {
      return Files.exists(Path.of(name))
          ? "no such file or folder; the name comes last: nola %s push %s %s"
              .formatted(kind.label(), name, source)
          : "no such file or folder";
    }

    /**
     * Uploads and registers.
     *
     * @param source a folder or a file
     * @param withFiles whether to upload the files, or to register their digests alone
     */
    final int push(NolaClient client, Path source, boolean withFiles)
        throws IOException, InterruptedException {
      if (!Files.exists(source)) {
        throw new NoSuchFileException(source.toString(), null, missing(source));
      }
      ObjectsClient.requireName(kind, name); // before files are hashed
      boolean isFolder = Files.isDirectory(source);
      ObjectManifest manifest =
          isFolder ? Manifests.of(source, description) : Manifests.ofFile(source, description);
      Path folder = isFolder ? source : source.toAbsolutePath().getParent();
      ObjectDetails pushed;
      if (withFiles) {
        try (ProgressBar bar = output.bar("push")) {
          pushed = client.objects().upload(kind, name, folder, manifest, bar);
        }
      } else {
        pushed = client.objects().register(kind, name, manifest);
      }
      output.print(
          pushed,
          out ->
              out.printf(
                  "%s %s@%s: %s, %s%n",
                  withFiles ? "pushed" : "registered",
                  name,
                  pushed.revision(),
                  Output.count(pushed.files().size(), "file"),
                  Output.bytes(pushed.totalSize())));
      return ExitCode.OK;
    }
  }
}
