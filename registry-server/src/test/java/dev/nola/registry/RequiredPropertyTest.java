package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Every property that openapi.yaml requires in a request must be there and not null. */
class RequiredPropertyTest {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final TestClient admin = TestRegistry.shared().admin();
  private final JsonNode document = ApiContract.document();
  private final Set<String> optional = new HashSet<>();
  private final List<String> wrong = new ArrayList<>();
  private int tried;

  @Test
  void requestWithoutItIsRefused() throws Exception {
    for (Map.Entry<String, JsonNode> item : document.at("/paths").properties()) {
      for (Map.Entry<String, JsonNode> operation : item.getValue().properties()) {
        JsonNode schema = operation.getValue().at("/requestBody/content/application~1json/schema");
        if (!schema.isMissingNode()) {
          String path =
              item.getKey()
                  .replace("{kind}", "datasets")
                  .replaceAll("\\{.*?}", "123e4567-e89b-12d3-a456-426614174000");
          JsonNode complete = example(schema);
          List<JsonPointer> required = new ArrayList<>();
          collect(complete, JsonPointer.empty(), required);
          for (JsonPointer property : required) {
            refuse(operation.getKey().toUpperCase(Locale.ROOT), path, complete, property);
          }
        }
      }
    }

    assertThat(tried).isGreaterThan(50);
    assertThat(wrong).isEmpty();
  }

  private void refuse(String method, String path, JsonNode complete, JsonPointer property)
      throws Exception {
    JsonNode missing = complete.deepCopy();
    ((ObjectNode) missing.at(property.head())).remove(property.last().getMatchingProperty());
    JsonNode empty = complete.deepCopy();
    ((ObjectNode) empty.at(property.head())).putNull(property.last().getMatchingProperty());
    for (JsonNode body : List.of(missing, empty)) {
      tried++;
      Answer answer =
          admin.send(
              method,
              path,
              BodyPublishers.ofByteArray(JsonMapper.shared().writeValueAsBytes(body)),
              "Content-Type",
              "application/json");
      if (answer.status() < 400 || answer.status() >= 500) {
        wrong.add(
            "%s %s %s: %s"
                .formatted(method, path, body, new String(answer.bytes(), StandardCharsets.UTF_8)));
      }
    }
  }

  /** Collects the required properties of an example. */
  private void collect(JsonNode node, JsonPointer place, List<JsonPointer> found) {
    for (Map.Entry<String, JsonNode> property : node.properties()) {
      JsonPointer pointer = place.appendProperty(property.getKey());
      if (!optional.contains(property.getKey())) {
        found.add(pointer);
      }
      collect(property.getValue(), pointer, found);
    }
    for (int i = 0; node.isArray() && i < node.size(); i++) {
      collect(node.get(i), place.appendIndex(i), found);
    }
  }

  /** Makes a value with the required properties, and those optional ones that have some. */
  private JsonNode example(JsonNode schema) {
    if (schema.has("$ref")) {
      return example(document.at(schema.path("$ref").asString().substring(1)));
    }
    if (schema.has("anyOf")) {
      return example(schema.path("anyOf").get(0));
    }
    if (schema.has("enum")) {
      return schema.path("enum").get(0);
    }
    JsonNode type = schema.path("type");
    return switch (type.isArray() ? type.get(0).asString() : type.asString()) {
      case "integer", "number" -> JSON.numberNode(1);
      case "boolean" -> JSON.booleanNode(false);
      case "array" -> JSON.arrayNode().add(example(schema.path("items")));
      case "object" -> object(schema);
      default ->
          JSON.stringNode(
              schema.path("format").asString().equals("uuid")
                  ? "123e4567-e89b-12d3-a456-426614174000"
                  : "x");
    };
  }

  private ObjectNode object(JsonNode schema) {
    ObjectNode object = JSON.objectNode();
    schema
        .path("required")
        .forEach(
            name ->
                object.set(
                    name.asString(), example(schema.path("properties").path(name.asString()))));
    schema
        .path("properties")
        .forEachEntry(
            (name, property) -> {
              if (property.has("anyOf") && example(property).isObject()) {
                object.set(name, example(property));
                optional.add(name);
              }
            });
    return object;
  }
}
