package dev.nola.registry;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.dialect.Dialects;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Checks the registry's responses against openapi.yaml, so that every test of an endpoint also
 * tests its description. A property that is not described is a violation, although clients must
 * accept it: otherwise nobody would notice that it is missing in the document.
 */
final class ApiContract {
  static final Path FILE = Path.of("openapi.yaml");

  private static final String DOCUMENT = "urn:nola:openapi";
  private static final String PREFIX = "/api/";
  private static final String EVENTS = "text/event-stream";

  private static final ApiContract OURS = new ApiContract(document());

  private final List<Operation> operations = new ArrayList<>();
  private final Map<String, Schema> refusal;
  private final Schema event;

  /**
   * An operation of the document.
   *
   * @param id its operationId
   * @param verb method in lower case
   * @param path matches the paths of its requests
   * @param parameters number of path parameters
   * @param responses schemas by media type, by status
   */
  private record Operation(
      String id,
      String verb,
      Pattern path,
      int parameters,
      Map<String, Map<String, Schema>> responses) {

    /** Returns the content that is described for a status, or null if the status is not. */
    @Nullable Map<String, Schema> content(int status) {
      Map<String, Schema> exact = responses.get(Integer.toString(status));
      return exact == null && status >= 400 ? responses.get("default") : exact;
    }
  }

  private ApiContract(JsonNode document) {
    ObjectNode schemas = JsonMapper.shared().createObjectNode();
    schemas.set("components", document.at("/components").deepCopy());
    schemas.at("/components/schemas").forEach(ApiContract::refuseUnknownProperties);
    ObjectNode inline = schemas.putObject("inline");
    // Each schema under a plain name: a pointer into paths would need two kinds of escapes.
    Map<String, Map<String, Map<String, Map<String, String>>>> names = new HashMap<>();
    document
        .at("/paths")
        .forEachEntry(
            (path, item) ->
                item.forEachEntry(
                    (verb, operation) ->
                        operation
                            .path("responses")
                            .forEachEntry(
                                (status, response) -> {
                                  Map<String, String> content =
                                      names
                                          .computeIfAbsent(path, _ -> new HashMap<>())
                                          .computeIfAbsent(verb, _ -> new HashMap<>())
                                          .computeIfAbsent(status, _ -> new HashMap<>());
                                  response
                                      .path("content")
                                      .forEachEntry(
                                          (type, media) -> {
                                            String name = "s" + inline.size();
                                            inline.set(name, media.path("schema"));
                                            content.put(type, name);
                                          });
                                })));
    SchemaRegistry registry =
        SchemaRegistry.withDialect(
            Dialects.getOpenApi31(),
            builder ->
                builder
                    .schemas(Map.of(DOCUMENT, schemas.toString()))
                    .schemaRegistryConfig(
                        SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build()));
    names.forEach(
        (path, verbs) ->
            verbs.forEach(
                (verb, statuses) -> {
                  Map<String, Map<String, Schema>> responses = new HashMap<>();
                  statuses.forEach(
                      (status, content) -> {
                        Map<String, Schema> types = new HashMap<>();
                        content.forEach(
                            (type, name) -> types.put(type, schema(registry, "inline/" + name)));
                        responses.put(status, types);
                      });
                  String[] literals = path.split("\\{[^}]+}", -1);
                  operations.add(
                      new Operation(
                          document
                              .path("paths")
                              .path(path)
                              .path(verb)
                              .path("operationId")
                              .asString(),
                          verb,
                          Pattern.compile(String.join("[^/]+", quote(literals))),
                          literals.length - 1,
                          responses));
                }));
    operations.sort(Comparator.comparingInt(Operation::parameters));
    refusal = Map.of(TestClient.PROBLEM, schema(registry, "components/schemas/Problem"));
    event = schema(registry, "components/schemas/JobEvent");
  }

  /** Reads openapi.yaml, which OperationsTest compares with that of the server. */
  static JsonNode document() {
    try {
      return new YAMLMapper().readTree(Files.readString(FILE));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Fails unless the document describes a response.
   *
   * @param method of the request
   * @param path of the request, which may have a query; other paths than those of the API are not
   *     checked
   * @param response to it
   */
  static void check(String method, String path, HttpResponse<byte[]> response) {
    if (!path.startsWith(PREFIX)) {
      return;
    }
    Optional<Operation> operation = OURS.find(method, path.replaceFirst("\\?.*", ""));
    List<String> violations = OURS.violations(operation, method, response);
    if (!violations.isEmpty()) {
      throw new AssertionError(
          "%s %s (%s), status %d is not as in openapi.yaml:\n%s\n%s"
              .formatted(
                  method,
                  path,
                  operation.map(Operation::id).orElse("no operation"),
                  response.statusCode(),
                  String.join("\n", violations),
                  new String(response.body(), StandardCharsets.UTF_8)));
    }
  }

  private Optional<Operation> find(String method, String path) {
    String verb = method.equals("HEAD") ? "get" : method.toLowerCase(Locale.ROOT);
    return operations.stream()
        .filter(operation -> operation.verb().equals(verb))
        .filter(operation -> operation.path().matcher(path).matches())
        .findFirst(); // the one with the fewest parameters
  }

  private List<String> violations(
      Optional<Operation> operation, String method, HttpResponse<byte[]> response) {
    int status = response.statusCode();
    Map<String, Schema> content =
        operation.isPresent() ? operation.get().content(status) : status >= 400 ? refusal : null;
    if (content == null) {
      return List.of("status not described");
    }
    String type = response.headers().firstValue("Content-Type").orElse("").replaceFirst(";.*", "");
    boolean hasBody = response.body().length > 0;
    if (type.isEmpty()) {
      boolean expected = !content.isEmpty() && !method.equals("HEAD");
      return hasBody || expected ? List.of("Content-Type missing") : List.of();
    }
    Schema schema = content.get(type);
    if (schema == null) {
      return List.of("Content-Type not described: " + type + "; described: " + content.keySet());
    }
    if (!hasBody) {
      return method.equals("HEAD") ? List.of() : List.of("body missing");
    }
    String body = new String(response.body(), StandardCharsets.UTF_8);
    if (type.equals(EVENTS)) {
      return body.lines()
          .filter(line -> line.startsWith("data:"))
          .flatMap(line -> errors(event, line.substring("data:".length())).stream())
          .toList();
    }
    return type.endsWith("json") ? errors(schema, body) : List.of();
  }

  private static List<String> errors(Schema schema, String json) {
    try {
      return schema.validate(JsonMapper.shared().readTree(json)).stream()
          .map(error -> error.getInstanceLocation() + ": " + error.getMessage())
          .toList();
    } catch (JacksonException e) {
      return List.of("not JSON: " + e.getOriginalMessage());
    }
  }

  private static Schema schema(SchemaRegistry registry, String pointer) {
    Schema schema = registry.getSchema(SchemaLocation.of(DOCUMENT + "#/" + pointer));
    schema.initializeValidators(); // fails if a reference has no target
    return schema;
  }

  private static String[] quote(String[] literals) {
    String[] quoted = new String[literals.length];
    for (int i = 0; i < literals.length; i++) {
      quoted[i] = Pattern.quote(literals[i]);
    }
    return quoted;
  }

  private static void refuseUnknownProperties(JsonNode schema) {
    if (!(schema instanceof ObjectNode object)) {
      return;
    }
    if (object.has("properties") && !object.has("additionalProperties")) {
      object.put("additionalProperties", false);
    }
    for (String map : List.of("properties", "anyOf")) {
      schema.path(map).forEach(ApiContract::refuseUnknownProperties);
    }
    for (String one : List.of("items", "additionalProperties")) {
      refuseUnknownProperties(schema.path(one));
    }
  }
}
