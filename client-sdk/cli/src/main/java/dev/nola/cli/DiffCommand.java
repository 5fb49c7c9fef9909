package dev.nola.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.client.diff.AdapterDiff;
import dev.nola.client.diff.AdapterDiff.Where;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.command.AdapterSource;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.format.Slice;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Compares two adapters. */
@Command(
    name = "diff",
    description = {
      "Show the differences between two adapters.",
      "Exits with 0 if both reconstruct to the same bits, else with 1. Distances are"
          + " ‖ΔW₁ − ΔW₂‖ / ‖ΔW₁‖ in Frobenius norms."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  nola diff acme/mood@1.0.0 acme/mood@2.0.0"})
final class DiffCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "A", description = "The first adapter, a FILE_OR_REF.")
  private String first = "";

  @Parameters(index = "1", paramLabel = "B", description = "The second.")
  private String second = "";

  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException, ImportRefusedException {
    AdapterSource.Opened one = source.open(first, output);
    AdapterSource.Opened other = source.open(second, output);
    AdapterDiff diff = AdapterDiff.of(one.file(), other.file());
    List<AdapterSource.Converted> converted = new ArrayList<>(one.conversions());
    converted.addAll(other.conversions());
    output.print(new Result(diff, converted), out -> print(diff, out));
    return diff.sameBits() ? 0 : ExitCode.REFUSED;
  }

  private record Result(
      @JsonUnwrapped AdapterDiff diff,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<AdapterSource.Converted> converted) {}

  private static void print(AdapterDiff diff, PrintWriter out) {
    for (AdapterDiff.Field field : diff.fields()) {
      out.printf("%s%n- %s%n+ %s%n", field.name(), field.first(), field.second());
    }
    for (AdapterDiff.LayerDiff layer : diff.layers()) {
      if (layer.where() != Where.SAME) {
        out.printf(
            "%s %s%s%s%n",
            mark(layer.where()), layer.tensor(), part(layer.slice()), distance(layer.distance()));
      }
    }
    for (AdapterDiff.DenseDiff dense : diff.dense()) {
      out.printf("%s %s (dense)%n", mark(dense.where()), dense.name());
    }
    long same = diff.layers().stream().filter(layer -> layer.where() == Where.SAME).count();
    out.printf(
        "%s; layers with the same bits: %d of %d%n",
        diff.sameBits() ? "the same bits" : "other bits", same, diff.layers().size());
  }

  private static String mark(Where where) {
    return switch (where) {
      case FIRST -> "-";
      case SECOND -> "+";
      case SAME -> " ";
      case CHANGED -> "~";
    };
  }

  private static String part(@Nullable Slice slice) {
    return slice == null
        ? ""
        : " %d..%d of dimension %d".formatted(slice.start(), slice.end() - 1, slice.dim());
  }

  private static String distance(@Nullable Double distance) {
    return distance == null ? "" : String.format(Locale.ROOT, ", distance %.3g", distance);
  }
}
