package dev.nola.registry.web;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.swagger.v3.core.converter.AnnotatedType;
import io.swagger.v3.core.converter.ModelConverter;
import io.swagger.v3.core.converter.ModelConverterContext;
import io.swagger.v3.core.util.Json31;
import io.swagger.v3.oas.models.media.JsonSchema;
import io.swagger.v3.oas.models.media.Schema;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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
    for (Map.Entry<String, AnnotatedElement> field : fields(record).entrySet()) {
      Schema<?> property = model.getProperties().get(field.getKey());
      if (property == null) {
        continue;
      }
      if (field.getValue().isAnnotationPresent(Nullable.class)) {
        model.getProperties().put(field.getKey(), nullable(property));
      } else {
        required.add(field.getKey());
      }
    }
    if (!required.isEmpty()) {
      model.setRequired(new ArrayList<>(required));
    }
  }

  /** Returns the types of a record's JSON properties: its components, and methods that add some. */
  private static Map<String, AnnotatedElement> fields(Class<?> record) {
    Map<String, AnnotatedElement> fields = new LinkedHashMap<>();
    for (RecordComponent component : record.getRecordComponents()) {
      fields.put(name(component.getAccessor()), component.getAnnotatedType());
    }
    for (Method method : record.getDeclaredMethods()) {
      if (method.isAnnotationPresent(JsonProperty.class)) {
        fields.putIfAbsent(name(method), method.getAnnotatedReturnType());
      }
    }
    return fields;
  }

  private static String name(Method accessor) {
    JsonProperty annotation = accessor.getAnnotation(JsonProperty.class);
    return annotation == null || annotation.value().isEmpty()
        ? accessor.getName()
        : annotation.value();
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
