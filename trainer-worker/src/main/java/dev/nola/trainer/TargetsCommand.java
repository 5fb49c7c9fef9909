package dev.nola.trainer;

import com.google.re2j.Pattern;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.Table;
import dev.nola.trainer.job.TargetSets;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.BaseModel.TargetShape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Lists what can be adapted in a model. */
@Command(
    name = "targets",
    description = {
      "List the tensors of a base model that can be adapted, with their shapes.",
      "The last column has the sets that contain a tensor, which method.targets may name."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  nola targets llama/"})
final class TargetsCommand implements Callable<Integer> {
  @Parameters(paramLabel = "BASE", description = "The base model's folder.")
  private Path folder = Path.of("");

  @Mixin private Output output = new Output();

  /**
   * A line of the list.
   *
   * @param tensor name of the tensor, which patterns of method.targets are matched with
   * @param shape rows and columns
   * @param sets named sets that have it
   */
  private record Line(String tensor, List<Long> shape, List<String> sets) {}

  @Override
  public Integer call() throws IOException {
    List<Line> lines = BaseModel.targets(folder).stream().map(TargetsCommand::line).toList();
    output.print(
        Map.of("targets", lines),
        out -> {
          Table table = new Table("tensor", "shape", "method.targets");
          for (Line line : lines) {
            table.row(
                line.tensor(),
                String.join("×", line.shape().stream().map(String::valueOf).toList()),
                String.join(", ", line.sets()));
          }
          table.print(out);
        });
    return ExitCode.OK;
  }

  private static Line line(TargetShape tensor) {
    return new Line(
        tensor.name(),
        tensor.shape(),
        TargetSets.PATTERNS.entrySet().stream()
            .filter(set -> Pattern.compile(set.getValue()).matcher(tensor.name()).find())
            .map(Map.Entry::getKey)
            .toList());
  }
}
