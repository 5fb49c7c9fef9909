package dev.nola.cli;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.nola.client.safetensors.Model;
import dev.nola.client.synthetic.SyntheticAdapter;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.files.Destination;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.generator.Generator;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes an adapter with random coefficients. */
@Command(
    name = "synth",
    description = {
      "Create an adapter with random coefficients, for tests and benchmarks.",
      "Equal options and base models produce equal bytes."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Example:",
      "  nola synth --base llama/ --targets '(q|v)_proj' --rank 8 --k 64 --l 64 --bits 4 \\",
      "    --generator philox-srht --seed 42 -o random.nola"
    })
final class SynthCommand implements Callable<Integer> {
  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description = "The base model: a safetensors file, or a folder in the Hugging Face layout.")
  private Path base = Path.of("");

  @Option(
      names = "--targets",
      required = true,
      paramLabel = "REGEX",
      description = "RE2 pattern: adapts tensors whose name contains a match.")
  private String targets = "";

  @Option(names = "--rank", paramLabel = "R", description = "Rank (default: ${DEFAULT-VALUE}).")
  private int rank = 8;

  @Option(
      names = "--k",
      paramLabel = "K",
      description =
          "Coefficients of side A (default: ${DEFAULT-VALUE}); identity has one an element.")
  private int k = 64;

  @Option(
      names = "--l",
      paramLabel = "L",
      description =
          "Coefficients of side B (default: ${DEFAULT-VALUE}); identity has one an element.")
  private int l = 64;

  @Option(
      names = "--bits",
      paramLabel = "B",
      description = "Bits per code, 1 to 16 (default: ${DEFAULT-VALUE}).")
  private int bits = 4;

  @Option(
      names = "--generator",
      paramLabel = "NAME",
      completionCandidates = GeneratorNames.class,
      description =
          "philox-uniform24, philox-uniform8, philox-rademacher, philox-srht or identity, a LoRA (default: ${DEFAULT-VALUE}).")
  private String generator = Generator.SRHT.label();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Seed, 0 to 2^64-1, in decimal, or in hexadecimal after 0x (default: ${DEFAULT-VALUE}).")
  private String seed = "0";

  @Option(names = "--shared-basis", description = "Use one basis for all layers.")
  private boolean sharedBasis;

  @Option(
      names = "--direct",
      description = "Use the direct form (PRANC): no low rank; only --k applies.")
  private boolean direct;

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      required = true,
      paramLabel = "FILE",
      description = "The file to write; an existing file is replaced only if synth created it.")
  private Path destination = Path.of("");

  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException {
    requireNothingLost();
    SyntheticAdapter synthetic =
        SyntheticAdapter.builder()
            .generator(generator())
            .seed(seed())
            .rank(rank)
            .coefficients(k, l)
            .bits(bits)
            .sharedBasis(sharedBasis)
            .direct(direct)
            .build();
    AdapterFile file;
    try (Model model = Model.open(base)) {
      file = synthetic.forModel(model, pattern());
    }
    file.write(destination);
    Result result =
        new Result(
            destination.toString(),
            Files.size(destination),
            file.adapter().layers().size(),
            file.reconstructionDigest().toString());
    output.print(
        result,
        out ->
            out.printf(
                "wrote %s: %s, %,d bytes%n",
                destination, Output.count(result.layers, "layer"), result.bytes));
    return 0;
  }

  /** What synth made it can make again, so it may replace that and nothing else. */
  private void requireNothingLost() throws IOException {
    Destination.requireFile(destination);
    if (Files.exists(destination) && !isSynthetic()) {
      throw new FileAlreadyExistsException(
          destination.toString(),
          null,
          "already exists and was not made by synth; remove it, or choose another file");
    }
  }

  private boolean isSynthetic() throws IOException {
    try {
      return AdapterFile.read(destination)
          .adapter()
          .metadata()
          .tags()
          .contains(SyntheticAdapter.TAG);
    } catch (AdapterException notAnAdapter) {
      return false;
    }
  }

  private record Result(String output, long bytes, int layers, String reconstructionDigest) {}

  private Generator generator() {
    return Generator.ofLabel(generator)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "invalid --generator: %s; must be one of %s"
                        .formatted(generator, String.join(", ", new GeneratorNames()))));
  }

  private long seed() {
    try {
      return seed.startsWith("0x")
          ? Long.parseUnsignedLong(seed.substring(2), 16)
          : Long.parseUnsignedLong(seed);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "invalid --seed: %s; must be 0 to 2^64-1, in decimal, or in hexadecimal after 0x"
              .formatted(seed),
          e);
    }
  }

  private Pattern pattern() {
    try {
      return Pattern.compile(targets);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "invalid --targets: %s; must be an RE2 pattern: %s"
              .formatted(targets, e.getDescription()),
          e);
    }
  }
}
