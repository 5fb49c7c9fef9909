package dev.nola.cli;

import dev.nola.client.lora.ImportRefusedException;
import dev.nola.command.AdapterSource;
import dev.nola.command.Output;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Shows what an adapter file says, without reconstructing it. */
@Command(
    name = "inspect",
    description = "Show the content of an adapter file, or of a LoRA of PEFT as an adapter.",
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  nola inspect adapter.nola --json --codes"})
final class InspectCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE_OR_REF", description = "The adapter.")
  private String adapter = "";

  @Option(names = "--codes", description = "With --json: print every code.")
  private boolean codes;

  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException, ImportRefusedException {
    if (codes && !output.isJson()) {
      throw new ParameterException(output.command().commandLine(), "--codes requires --json");
    }
    AdapterSource.Opened opened = source.open(adapter, output);
    ObjectNode description = describe(opened.file());
    AdapterSource.Converted converted = opened.converted();
    if (converted != null) {
      description.set("converted", JsonMapper.shared().valueToTree(opened.conversions()));
    }
    String format =
        converted == null
            ? String.format(
                Locale.ROOT, "%s, %,d bytes", AdapterFile.VERSION, Files.size(opened.path()))
            : "PEFT, converted at %d bits".formatted(converted.bits());
    String digestSource =
        converted == null
            ? "stated by the file; nola verify checks it"
            : "computed from the LoRA at %d bits".formatted(converted.bits());
    output.print(description, out -> print(opened.file(), format, digestSource, out));
    return 0;
  }

  private static void print(AdapterFile file, String format, String digestSource, PrintWriter out) {
    Adapter adapter = file.adapter();
    out.printf("format          %s%n", format);
    out.printf(
        "generator       %s, %s%n",
        adapter.generator(),
        adapter.generator() == Generator.IDENTITY
            ? "a LoRA, its factors quantized"
            : "seed " + seed(adapter));
    out.printf("base            %s%n", base(adapter));
    out.printf("reconstruction  %s (%s)%n", file.reconstructionDigest(), digestSource);
    long coefficients = 0;
    for (Layer layer : adapter.layers()) {
      coefficients += layer.coefficients().alpha().count();
      if (layer.coefficients() instanceof LowRank(int _, Codes _, Codes beta)) {
        coefficients += beta.count();
      }
    }
    out.printf(
        "content         layers: %,d, coefficients: %,d, dense tensors: %,d%n",
        adapter.layers().size(), coefficients, adapter.dense().size());
    for (Layer layer : adapter.layers()) {
      out.printf("  %s %s%n", layer.tensor(), form(layer));
    }
    for (DenseTensor tensor : adapter.dense()) {
      out.printf("  %s%n", tensor);
    }
    Metadata metadata = adapter.metadata();
    printIfAny(out, "description", metadata.description());
    printIfAny(out, "task", metadata.task());
    printIfAny(out, "license", metadata.license());
    printIfAny(out, "tags", String.join(", ", metadata.tags()));
    metadata
        .metrics()
        .forEach((name, value) -> out.printf("%-15s %s = %s%n", "metric", name, value));
    metadata
        .provenance()
        .forEach((key, value) -> out.printf("%-15s %s = %s%n", "provenance", key, value));
  }

  private static String form(Layer layer) {
    String part = layer.slice() == null ? "" : " " + part(layer.slice());
    String view = "%s%s as %d×%d".formatted(layer.shape(), part, layer.rows(), layer.cols());
    return switch (layer.coefficients()) {
      case Direct(Codes alpha) -> view + ", direct, " + alpha;
      case LowRank(int rank, Codes alpha, Codes beta) ->
          view + ", rank " + rank + ", α " + alpha + ", β " + beta;
    };
  }

  private static String part(Slice slice) {
    return "%d..%d of dimension %d".formatted(slice.start(), slice.end() - 1, slice.dim());
  }

  private static void printIfAny(PrintWriter out, String what, String text) {
    if (!text.isEmpty()) {
      out.printf("%-15s %s%n", what, text);
    }
  }

  private static String base(Adapter adapter) {
    String name = adapter.base().name().isEmpty() ? "no name" : adapter.base().name();
    String revision = adapter.base().revision();
    return "%s%s, identity %s"
        .formatted(
            name,
            revision.isEmpty() ? "" : " at " + revision,
            adapter.base().identity() == null ? "unknown" : adapter.base().identity());
  }

  private static String seed(Adapter adapter) {
    return "0x%016x".formatted(adapter.seed());
  }

  private ObjectNode describe(AdapterFile file) {
    Adapter adapter = file.adapter();
    ObjectNode node = JsonMapper.shared().createObjectNode();
    node.put("format", AdapterFile.VERSION);
    node.put("generator", adapter.generator().label());
    node.put("seed", seed(adapter));
    node.put("reconstructionDigest", file.reconstructionDigest().toString());
    ObjectNode base = node.putObject("base");
    base.put("name", adapter.base().name());
    base.put("revision", adapter.base().revision());
    base.put(
        "identity",
        adapter.base().identity() == null ? null : adapter.base().identity().toString());
    ArrayNode layers = node.putArray("layers");
    adapter.layers().forEach(layer -> describe(layers.addObject(), layer));
    ArrayNode dense = node.putArray("dense");
    for (DenseTensor tensor : adapter.dense()) {
      ObjectNode entry = dense.addObject();
      entry.put("name", tensor.name());
      entry.put("dtype", tensor.dtype().name());
      tensor.shape().forEach(entry.putArray("shape")::add);
    }
    Metadata metadata = adapter.metadata();
    ObjectNode about = node.putObject("metadata");
    about.put("description", metadata.description());
    about.put("task", metadata.task());
    about.put("license", metadata.license());
    metadata.tags().forEach(about.putArray("tags")::add);
    metadata.metrics().forEach(about.putObject("metrics")::put);
    metadata.provenance().forEach(about.putObject("provenance")::put);
    return node;
  }

  private void describe(ObjectNode node, Layer layer) {
    node.put("tensor", layer.tensor());
    layer.shape().forEach(node.putArray("shape")::add);
    if (layer.slice() == null) {
      node.putNull("slice");
    } else {
      ObjectNode slice = node.putObject("slice");
      slice.put("dim", layer.slice().dim());
      slice.put("start", layer.slice().start());
      slice.put("length", layer.slice().length());
    }
    boolean direct = layer.coefficients() instanceof Direct;
    node.put("form", direct ? "direct" : "low-rank");
    node.put("rows", layer.rows());
    node.put("cols", layer.cols());
    node.put("rank", layer.coefficients() instanceof LowRank lowRank ? lowRank.rank() : 0);
    node.put("scale", Float.toHexString(layer.scale()));
    describe(node, "a", layer, layer.coefficients().alpha());
    describe(
        node, "b", layer, layer.coefficients() instanceof LowRank lowRank ? lowRank.beta() : null);
  }

  private void describe(ObjectNode node, String side, Layer layer, @Nullable Codes vector) {
    if (vector == null) {
      node.putNull(side);
      return;
    }
    ObjectNode entry = node.putObject(side);
    entry.put("stream", Integer.toUnsignedLong(layer.stream()));
    entry.put(side.equals("a") ? "k" : "l", vector.count());
    entry.put("bits", vector.bits());
    if (codes) {
      ArrayNode all = entry.putArray("codes");
      for (int code : vector.codes()) {
        all.add(code);
      }
    }
  }
}
