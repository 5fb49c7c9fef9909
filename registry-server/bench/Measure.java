import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Measures what depends on the size of the catalog: {@code Measure pages API} reads all pages of
 * the list of adapters, {@code Measure publish API TOKEN} publishes versions, one after another.
 */
final class Measure {
  private static final int PAGES = 50;
  private static final int WARM_UP = 100;
  private static final int PUBLISHED = 200;
  private static final Pattern NEXT = Pattern.compile("\"next\":\"([^\"]+)\"");

  private static final HttpClient HTTP = HttpClient.newHttpClient();

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("pages")) {
      pages(arguments[1] + "/adapters?limit=100");
    } else {
      publish(arguments[1], arguments[2]);
    }
  }

  private static void pages(String first) throws Exception {
    List<Double> times = new ArrayList<>();
    String cursor = "";
    do {
      HttpRequest request = HttpRequest.newBuilder(URI.create(first + cursor)).build();
      Timed timed = send(request);
      times.add(timed.millis);
      Matcher next = NEXT.matcher(timed.body);
      cursor = next.find() ? "&cursor=" + next.group(1) : "";
    } while (!cursor.isEmpty());
    int pages = times.size();
    print("first pages of 100 adapters", times.subList(0, Math.min(PAGES, pages)));
    print("last pages, of %,d".formatted(pages), times.subList(Math.max(0, pages - PAGES), pages));
  }

  private static void publish(String api, String token) throws Exception {
    List<Double> times = new ArrayList<>();
    for (int i = 0; i < WARM_UP + PUBLISHED; i++) {
      HttpRequest request =
          HttpRequest.newBuilder(
                  URI.create(api + "/adapters/bench/published-" + i + "/versions/1.0.0"))
              .header("Authorization", "Bearer " + token)
              .header("Content-Type", "application/vnd.nola.adapter")
              .POST(BodyPublishers.ofByteArray(file(i)))
              .build();
      double millis = send(request).millis;
      if (i >= WARM_UP) {
        times.add(millis);
      }
    }
    print("publications of small new adapters", times);
  }

  private record Timed(double millis, String body) {}

  private static Timed send(HttpRequest request) throws Exception {
    long start = System.nanoTime();
    HttpResponse<String> response = HTTP.send(request, BodyHandlers.ofString());
    double millis = (System.nanoTime() - start) / 1e6;
    if (response.statusCode() >= 300) {
      throw new IllegalStateException(response.statusCode() + " " + response.body());
    }
    return new Timed(millis, response.body());
  }

  private static byte[] file(int seed) throws Exception {
    Codes codes = Codes.of(4, 1, 7, 3, 15);
    Layer layer =
        Layer.ofMatrix("weight", 32, 32, 0, 0x1p-10f, new Coefficients.LowRank(4, codes, codes));
    Adapter adapter =
        Adapter.builder().generator(Generator.SRHT).seed(seed).layer(layer).build();
    return Reconstructor.standard().seal(adapter).toBytes();
  }

  private static void print(String what, List<Double> times) {
    double[] sorted = times.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    System.out.printf(
        "%-44s %10d %8.1fms %8.1fms%n",
        what, sorted.length, at(sorted, 0.5), at(sorted, 0.95));
  }

  private static double at(double[] sorted, double share) {
    return sorted[(int) Math.min(sorted.length - 1, Math.round(share * sorted.length))];
  }
}
