package dev.nola.registry.web;

import dev.nola.api.attestation.Nonce;
import dev.nola.api.job.JobEvent;
import dev.nola.api.name.ObjectKind;
import dev.nola.digest.Sha256;
import io.swagger.v3.core.converter.AnnotatedType;
import io.swagger.v3.core.converter.ModelConverters;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.info.License;
import io.swagger.v3.oas.models.media.ArraySchema;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.IntegerSchema;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.ObjectSchema;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.oas.models.security.SecurityScheme;
import io.swagger.v3.oas.models.servers.Server;
import java.math.BigDecimal;
import java.util.List;
import java.util.Objects;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springdoc.core.customizers.OperationCustomizer;
import org.springdoc.core.utils.SpringDocUtils;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.util.StringUtils;

/** Describes the API in OpenAPI beyond what its endpoints say. */
@Configuration(proxyBeanMethods = false)
class OpenApiConfiguration {
  private static final String PROBLEM = "Problem";
  private static final String TOKEN = "token";

  static {
    // Texts in JSON, which the schemas should say instead of listing the classes' methods.
    SpringDocUtils.getConfig()
        .replaceWithClass(Sha256.class, String.class)
        .replaceWithClass(Nonce.class, String.class);
  }

  @Bean
  OpenAPI description() {
    return new OpenAPI()
        .info(
            new Info()
                .title("Nola registry")
                .version("v1")
                .description(
                    "Catalogs, stores and verifies NOLA adapters. Errors are problem details (RFC"
                        + " 9457). Lists are paged: follow next, or the Link header.")
                .license(
                    new License()
                        .name("Apache-2.0")
                        .url("https://www.apache.org/licenses/LICENSE-2.0.txt")))
        .servers(List.of(new Server().url("/")))
        .components(
            new Components()
                .addSecuritySchemes(
                    TOKEN, new SecurityScheme().type(SecurityScheme.Type.HTTP).scheme("bearer")))
        // Most reads need no token: both are valid.
        .security(List.of(new SecurityRequirement(), new SecurityRequirement().addList(TOKEN)));
  }

  /** Such as {@code versionPublish}; without this, methods of one name would be numbered. */
  @Bean
  OperationCustomizer operationIds() {
    return (operation, method) -> {
      String controller =
          StringUtils.uncapitalize(method.getBeanType().getSimpleName().replace("Controller", ""));
      var annotation = method.getMethodAnnotation(io.swagger.v3.oas.annotations.Operation.class);
      operation.setOperationId(
          annotation == null || annotation.operationId().isEmpty()
              ? controller + StringUtils.capitalize(method.getMethod().getName())
              : annotation.operationId());
      return operation;
    };
  }

  /** Adds the problem response to every endpoint. */
  @Bean
  OpenApiCustomizer refusals() {
    return api -> {
      // Here, since a schema that nothing refers to yet would have been removed.
      api.getComponents().addSchemas(PROBLEM, problem());
      api.getPaths()
          .values()
          .forEach(
              path ->
                  path.readOperations()
                      .forEach(
                          operation ->
                              operation.getResponses().addApiResponse("default", refusal())));
    };
  }

  /** Removes null from the types of parameters: one that is absent is left out of the query. */
  @Bean
  OpenApiCustomizer parametersAreNotNull() {
    return api ->
        api.getPaths().values().stream()
            .flatMap(path -> path.readOperations().stream())
            .map(Operation::getParameters)
            .filter(Objects::nonNull)
            .flatMap(List::stream)
            .map(Parameter::getSchema)
            .filter(schema -> schema != null && schema.getTypes() != null)
            .forEach(schema -> schema.getTypes().remove("null"));
  }

  /** Adds the rules of parameters that many endpoints share. */
  @Bean
  OpenApiCustomizer sharedParameters() {
    return api ->
        api.getPaths().values().stream()
            .flatMap(path -> path.readOperations().stream())
            .map(Operation::getParameters)
            .filter(Objects::nonNull)
            .flatMap(List::stream)
            .forEach(
                parameter -> {
                  if (parameter.getName().equals("limit")) {
                    parameter.getSchema().minimum(BigDecimal.ONE);
                    parameter.getSchema().maximum(BigDecimal.valueOf(Pages.MAX_LIMIT));
                  } else if (parameter.getName().equals("kind")) {
                    parameter.setSchema(kinds());
                  }
                });
  }

  /** Adds the data of server-sent events, to which no schema can refer. */
  @Bean
  OpenApiCustomizer events() {
    return api ->
        ModelConverters.getInstance(true)
            .readAll(new AnnotatedType(JobEvent.class))
            .forEach(api.getComponents().getSchemas()::putIfAbsent);
  }

  private static Schema<?> kinds() {
    StringSchema kinds = new StringSchema();
    for (ObjectKind kind : ObjectKind.values()) {
      kinds.addEnumItem(kind.collection());
    }
    return kinds;
  }

  /** Describes the job of a training, a map in Java, as a document with its own schema. */
  @Bean
  OpenApiCustomizer trainingJob() {
    return api ->
        api.getComponents()
            .getSchemas()
            .get("Train")
            .addProperty(
                "job",
                new ObjectSchema()
                    .description(
                        "A training job in the format of trainer-worker/job.schema.json, but without"
                            + " model.base, which model replaces. Its data files are paths within the"
                            + " dataset. The worker validates it, and fails the job with all errors"
                            + " found.")
                    .additionalProperties(true));
  }

  private static ApiResponse refusal() {
    return new ApiResponse()
        .description("Refused")
        .content(
            new Content()
                .addMediaType(
                    "application/problem+json",
                    new MediaType()
                        .schema(new Schema<>().$ref("#/components/schemas/" + PROBLEM))));
  }

  private static Schema<?> problem() {
    Schema<?> violation =
        new ObjectSchema()
            .addProperty("field", new StringSchema())
            .addProperty("rule", new StringSchema());
    violation.setRequired(List.of("field", "rule"));
    Schema<?> problem =
        new ObjectSchema()
            .addProperty("type", new StringSchema().example("urn:nola:problem:not-found"))
            .addProperty("title", new StringSchema())
            .addProperty("status", new IntegerSchema())
            .addProperty("detail", new StringSchema())
            .addProperty("instance", new StringSchema())
            .addProperty("requestId", new StringSchema())
            .addProperty("violations", new ArraySchema().items(violation));
    problem.setRequired(List.of("type", "title", "status", "detail", "requestId"));
    return problem;
  }
}
