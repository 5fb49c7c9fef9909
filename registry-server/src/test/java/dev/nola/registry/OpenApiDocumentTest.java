package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** openapi.yaml is a valid document of OpenAPI 3.1, from which generators can make clients. */
class OpenApiDocumentTest {
  private static final String JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema";

  private final JsonNode document = ApiContract.document();
  private final SchemaRegistry registry =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  @Test
  void documentIsValidOpenApi() throws Exception {
    // https://spec.openapis.org/oas/3.1/schema/2022-10-07, Apache-2.0
    try (InputStream metaSchema =
        Objects.requireNonNull(
            OpenApiDocumentTest.class.getResourceAsStream("/openapi/schema-3.1.json"))) {
      List<Error> errors = registry.getSchema(metaSchema, InputFormat.JSON).validate(document);

      assertThat(errors).isEmpty();
    }
  }

  @Test
  void everySchemaIsAJsonSchemaThatSaysSomething() {
    Schema metaSchema = registry.getSchema(SchemaLocation.of(JSON_SCHEMA));
    List<String> wrong = new ArrayList<>();
    Consumer<JsonNode> check =
        schema -> {
          metaSchema.validate(schema).forEach(error -> wrong.add(schema + ": " + error));
          if (schema.isEmpty()) {
            wrong.add("a schema is empty: it would allow everything");
          }
        };
    document.findValues("schema").forEach(check);
    document.findValues("items").stream().filter(JsonNode::isObject).forEach(check);
    for (JsonNode schema : document.at("/components/schemas")) {
      check.accept(schema);
      schema.findValues("properties").forEach(properties -> properties.forEach(check));
    }

    assertThat(wrong).isEmpty();
  }

  @Test
  void everyReferenceHasATarget() {
    List<String> references =
        document.findValues("$ref").stream().map(JsonNode::asString).distinct().toList();

    assertThat(references)
        .hasSizeGreaterThan(20)
        .allSatisfy(
            reference ->
                assertThat(document.at(reference.substring(1)).isObject()).as(reference).isTrue());
  }

  @Test
  void everyOperationHasANameOfItsOwn() {
    List<String> names =
        document.findValues("operationId").stream().map(JsonNode::asString).toList();

    assertThat(names).hasSizeGreaterThan(40).doesNotHaveDuplicates();
  }
}
