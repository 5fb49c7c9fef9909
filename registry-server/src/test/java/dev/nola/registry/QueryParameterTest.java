package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.net.URLDecoder;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * Every query parameter in openapi.yaml refuses values that it cannot take, with value and rule.
 */
class QueryParameterTest {
  private static final TestClient ADMIN = TestRegistry.shared().admin();

  /** What no parameter but a text takes. */
  private static final List<String> FORGED =
      List.of("x", "1.5", "99999999999999999999", "-", "%F0%9F%98%80", "%27%3B--");

  private static String namespace = "";

  /**
   * A query parameter.
   *
   * @param method of its operation
   * @param path of its operation, with the other parameters that it requires
   * @param contentType of the operation's body; empty if it has none
   * @param name of the parameter
   * @param schema of the parameter
   */
  private record Parameter(
      String method, String path, String contentType, String name, JsonNode schema) {
    Answer send(String value) throws Exception {
      String url = path + name + "=" + value;
      return contentType.isEmpty()
          ? ADMIN.send(method, url, BodyPublishers.noBody())
          : ADMIN.send(method, url, BodyPublishers.ofString("{}"), "Content-Type", contentType);
    }

    boolean isText() {
      return List.of("string", "array").contains(schema.path("type").asString())
          && !schema.has("enum");
    }
  }

  @BeforeAll
  static void publish() throws Exception {
    namespace = ADMIN.namespace();
    ADMIN.publish(namespace + "/mood@1.0.0", Samples.file(1));
  }

  private static List<Parameter> parameters() {
    Map<String, String> values =
        Map.of("namespace", namespace, "name", "mood", "version", "1.0.0", "kind", "datasets");
    List<Parameter> all = new ArrayList<>();
    ApiContract.document()
        .at("/paths")
        .forEachEntry(
            (template, item) ->
                item.forEachEntry(
                    (verb, operation) -> {
                      String path = template;
                      for (Map.Entry<String, String> value : values.entrySet()) {
                        path = path.replace("{" + value.getKey() + "}", value.getValue());
                      }
                      path = path.replaceAll("\\{.*?}", "123e4567-e89b-12d3-a456-426614174000");
                      List<String> required = new ArrayList<>();
                      for (JsonNode parameter : operation.path("parameters")) {
                        if (isQuery(parameter) && parameter.path("required").asBoolean()) {
                          String name = parameter.path("name").asString();
                          required.add(name + "=" + values.getOrDefault(name, "1"));
                        }
                      }
                      for (JsonNode parameter : operation.path("parameters")) {
                        if (isQuery(parameter)) {
                          String name = parameter.path("name").asString();
                          StringBuilder url = new StringBuilder(path + "?");
                          required.stream()
                              .filter(other -> !other.startsWith(name + "="))
                              .forEach(other -> url.append(other).append('&'));
                          all.add(
                              new Parameter(
                                  verb.toUpperCase(Locale.ROOT),
                                  url.toString(),
                                  operation.at("/requestBody/content").propertyNames().stream()
                                      .findFirst()
                                      .orElse(""),
                                  name,
                                  parameter.path("schema")));
                        }
                      }
                    }));
    return all;
  }

  private static boolean isQuery(JsonNode parameter) {
    return parameter.path("in").asString().equals("query");
  }

  @Test
  void forgedValueIsRefusedWithTheValue() throws Exception {
    List<Parameter> parameters = parameters();
    List<String> wrong = new ArrayList<>();
    for (Parameter parameter : parameters) {
      for (String value : FORGED) {
        Answer answer = parameter.send(value);
        String text = URLDecoder.decode(value, StandardCharsets.UTF_8);
        boolean refused =
            List.of(400, 422).contains(answer.status())
                && answer
                    .text("/detail")
                    .startsWith("invalid " + parameter.name() + ": " + text + "; must be ");
        boolean taken = parameter.isText() && answer.status() < 500;
        if (!refused && !taken) {
          wrong.add(
              "%s %s%s=%s: %s"
                  .formatted(
                      parameter.method(),
                      parameter.path(),
                      parameter.name(),
                      value,
                      new String(answer.bytes(), StandardCharsets.UTF_8)));
        }
      }
    }
    assertThat(parameters).hasSizeGreaterThan(30);
    assertThat(wrong).isEmpty();
  }

  @Test
  void undecodableValueIsRefusedWithTheValue() throws Exception {
    List<String> wrong = new ArrayList<>();
    for (Parameter parameter : parameters()) {
      for (String value : List.of("%ff", "%c3%28", "%ed%a0%80", "%00", "a%00b")) {
        Answer answer = parameter.send(value);
        if (!answer.refusal().equals("400 unreadable")
            || !answer.text("/detail").contains(parameter.name() + "=" + value)
            || !answer.text("/detail").contains("must be percent-encoded UTF-8")) {
          wrong.add(
              "%s %s%s=%s: %s"
                  .formatted(
                      parameter.method(),
                      parameter.path(),
                      parameter.name(),
                      value,
                      new String(answer.bytes(), StandardCharsets.UTF_8)));
        }
      }
    }
    assertThat(wrong).isEmpty();
  }
}
