import dev.nola.quantize.Quantized;
import dev.nola.quantize.Quantizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The Java half of test_quantize.py: prints step and codes of each list of coefficients in a JSON
 * file, by each quantizer.
 *
 * <p>Usage: {@code java -cp nola-cli.jar QuantizeValues.java FILE}
 */
final class QuantizeValues {
  private QuantizeValues() {}

  record Result(String step, int[] codes) {}

  public static void main(String[] arguments) throws Exception {
    List<List<Result>> results = new ArrayList<>();
    for (JsonNode each : JsonMapper.shared().readTree(Path.of(arguments[0]).toFile())) {
      float[] values = new float[each.get("values").size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) each.get("values").get(i).asDouble();
      }
      List<Result> both = new ArrayList<>();
      for (Quantizer quantizer : List.of(Quantizer.ABSMAX, Quantizer.LEAST_SQUARES)) {
        Quantized quantized = quantizer.quantize(values, each.get("bits").asInt());
        both.add(new Result(Double.toHexString(quantized.step()), quantized.codes().values()));
      }
      results.add(both);
    }
    System.out.println(JsonMapper.shared().writeValueAsString(results));
  }
}
