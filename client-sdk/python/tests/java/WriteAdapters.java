import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The Java half of test_differential.py. Writes each adapter that a JSON file describes to {@code
 * java/N.nola}, and reads and verifies {@code python/N.nola}.
 *
 * <p>Usage: {@code java -cp nola-cli.jar WriteAdapters.java FOLDER}
 */
final class WriteAdapters {
  private WriteAdapters() {}

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    Path written = Files.createDirectory(folder.resolve("java"));
    Reconstructor reconstructor = Reconstructor.standard();
    int number = 0;
    for (JsonNode content : JsonMapper.shared().readTree(folder.resolve("contents.json").toFile())) {
      String name = number++ + ".nola";
      AdapterFile file = reconstructor.seal(adapter(content));
      file.write(written.resolve(name));
      AdapterFile other = AdapterFile.read(folder.resolve("python").resolve(name));
      reconstructor.verify(other);
      if (!other.equals(file)) {
        throw new AssertionError(name + ": Python's file has other content than " + content);
      }
    }
    System.out.println(number + " adapters");
  }

  private static Adapter adapter(JsonNode content) {
    Adapter.Builder builder =
        Adapter.builder()
            .generator(Generator.ofId(content.get("generator").asInt()).orElseThrow())
            .seed(Long.parseUnsignedLong(content.get("seed").asString(), 16))
            .base(base(content.get("base")))
            .metadata(metadata(content.get("metadata")));
    content.get("layers").forEach(layer -> builder.layer(layer(layer)));
    content.get("dense").forEach(tensor -> builder.dense(dense(tensor)));
    return builder.build();
  }

  private static BaseModel base(JsonNode base) {
    JsonNode identity = base.get("identity");
    return new BaseModel(
        base.get("name").asString(),
        base.get("revision").asString(),
        identity.isNull() ? null : Sha256.parse("sha256:" + identity.asString()));
  }

  private static Metadata metadata(JsonNode metadata) {
    TreeMap<String, Double> metrics = new TreeMap<>();
    metadata.get("metrics").forEach(each -> metrics.put(each.get(0).asString(), each.get(1).asDouble()));
    TreeMap<String, String> provenance = new TreeMap<>();
    metadata
        .get("provenance")
        .forEach(each -> provenance.put(each.get(0).asString(), each.get(1).asString()));
    TreeSet<String> tags = new TreeSet<>();
    metadata.get("tags").forEach(each -> tags.add(each.asString()));
    return new Metadata(
        metadata.get("description").asString(),
        metadata.get("task").asString(),
        metadata.get("license").asString(),
        tags,
        metrics,
        provenance);
  }

  private static Layer layer(JsonNode layer) {
    JsonNode slice = layer.get("slice");
    Codes a = codes(layer.get("a"));
    int rank = layer.get("rank").asInt();
    return new Layer(
        layer.get("tensor").asString(),
        shape(layer.get("shape")),
        slice.isNull()
            ? null
            : new Slice(slice.get(0).asInt(), slice.get(1).asInt(), slice.get(2).asInt()),
        layer.get("rows").asInt(),
        layer.get("cols").asInt(),
        (int) layer.get("stream").asLong(),
        Float.intBitsToFloat(layer.get("scale").asInt()),
        rank == 0
            ? new Coefficients.Direct(a)
            : new Coefficients.LowRank(rank, a, codes(layer.get("b"))));
  }

  private static Codes codes(JsonNode codes) {
    return Codes.of(
        codes.get("bits").asInt(),
        StreamSupport.stream(codes.get("values").spliterator(), false)
            .mapToInt(JsonNode::asInt)
            .toArray());
  }

  private static DenseTensor dense(JsonNode tensor) {
    return new DenseTensor(
        tensor.get("name").asString(),
        DType.valueOf(tensor.get("dtype").asString()),
        shape(tensor.get("shape")),
        MemorySegment.ofArray(Base64.getDecoder().decode(tensor.get("data").asString())));
  }

  private static List<Integer> shape(JsonNode shape) {
    return StreamSupport.stream(shape.spliterator(), false).map(JsonNode::asInt).toList();
  }
}
