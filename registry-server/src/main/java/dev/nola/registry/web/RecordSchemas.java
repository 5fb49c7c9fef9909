package dev.nola.registry.web;

import io.swagger.v3.core.converter.AnnotatedType;
import io.swagger.v3.core.converter.ModelConverter;
import io.swagger.v3.core.converter.ModelConverterContext;
import io.swagger.v3.core.util.Json31;
import io.swagger.v3.oas.models.media.JsonSchema;
import io.swagger.v3.oas.models.media.Schema;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Describes which fields of the API's records must be there, and which may be null, as the records
 * themselves say by {@code @Nullable}.
 */
@Component
class RecordSchemas implements ModelConverter {
  @Override
  public @Nullable Schema<?> resolve(
      AnnotatedType type, ModelConverterContext context, Iterator<ModelConverter> chain) {
    Schema<?> schema = chain.hasNext() ? chain.next().resolve(type, context, chain) : null;
    Class<?> record = Json31.mapper().constructType(type.getType()).getRawClass();
    if (schema != null && record.isRecord()) {
      String reference = schema.get$ref();
      Schema<?> model =
          reference == null
              ? schema
              : context.getDefinedModels().get(reference.substring(reference.lastIndexOf('/') + 1));
      if (model != null && model.getProperties() != null) {
        describe(record, model);
      }
    }
    return schema;
  }

  private static void describe(Class<?> record, Schema<?> model) {
    Set<String> required = new LinkedHashSet<>();
    for (RecordComponent component : record.getRecordComponents()) {
      Schema<?> property = model.getProperties().get(component.getName());
      if (property == null) {
        continue;
      }
      if (component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
        model.getProperties().put(component.getName(), nullable(property));
      } else {
        required.add(component.getName());
      }
    }
    if (!required.isEmpty()) {
      model.setRequired(new ArrayList<>(required));
    }
  }

  private static Schema<?> nullable(Schema<?> property) {
    if (property.getAnyOf() != null
        || (property.getTypes() != null && property.getTypes().contains("null"))) {
      return property;
    }
    if (property.get$ref() == null && property.getEnum() == null && property.getTypes() != null) {
      property.addType("null");
      return property;
    }
    Schema<?> nothing = new JsonSchema();
    nothing.addType("null");
    return new JsonSchema().anyOf(List.of(property, nothing));
  }
}
