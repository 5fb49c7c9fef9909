package dev.nola.trainer;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.trainer.data.ReferenceTexts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a data set of data and their descriptions as examples and references. */
@Command(mixinStandardHelpOptions = true)
abstract sealed class ImportTextsCommand implements Callable<Integer> {
  @Parameters(paramLabel = "SOURCE", description = "The file or folder to read.")
  private Path source = Path.of("");

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      required = true,
      paramLabel = "DIR",
      description =
          "The folder to write; must not exist. examples.jsonl has a prompt and completion a line,"
              + " references.jsonl a prompt and all its texts.")
  private Path destination = Path.of("");

  @Mixin private Output output = new Output();

  /** Writes WebNLG. */
  @Command(
      name = "import-webnlg",
      description = "Write WebNLG's triples and their English texts as prompts and completions.",
      footer = {
        "",
        "Example:",
        "  nola import-webnlg webnlg/release_v2.1/xml/test -o webnlg-test/"
      })
  static final class WebNlg extends ImportTextsCommand {
    @Override
    ReferenceTexts read(Path source) throws IOException {
      return ReferenceTexts.ofWebNlg(source);
    }
  }

  /** Writes DART. */
  @Command(
      name = "import-dart",
      description = "Write DART's triples and their texts as prompts and completions.",
      footer = {"", "Example:", "  nola import-dart dart-v1.1.1-full-test.json -o dart-test/"})
  static final class Dart extends ImportTextsCommand {
    @Override
    ReferenceTexts read(Path source) throws IOException {
      return ReferenceTexts.ofDart(source);
    }
  }

  /** Writes the E2E NLG Challenge. */
  @Command(
      name = "import-e2e",
      description = {
        "Write slots and sentences of the E2E NLG Challenge as prompts and completions.",
        "A file has slots||sentence per line, as used for GPT-2."
      },
      footer = {"", "Example:", "  nola import-e2e test.txt -o e2e-test/"})
  static final class E2e extends ImportTextsCommand {
    @Override
    ReferenceTexts read(Path source) throws IOException {
      return ReferenceTexts.ofE2e(source);
    }
  }

  abstract ReferenceTexts read(Path source) throws IOException;

  @Override
  public Integer call() throws IOException {
    ReferenceTexts.Report report = read(source).write(destination);
    output.print(
        new Result(destination.toString(), report),
        out ->
            out.printf(
                "wrote %s: %s, %s%n",
                destination,
                Output.count(report.prompts(), "prompt"),
                Output.count(report.references(), "text")));
    return ExitCode.OK;
  }

  private record Result(String output, @JsonUnwrapped ReferenceTexts.Report report) {}
}
