package dev.nola.trainer.job;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Makes job.schema.json and the README's table from {@link Keys}. */
final class JobDocuments {
  static final Path SCHEMA = Path.of("job.schema.json");
  static final Path README = Path.of("README.md");

  private static final String BEGIN = "<!-- keys, made by JobDocuments -->\n";
  private static final String END = "<!-- end of keys -->";

  private JobDocuments() {}

  /** Returns a README with the table in its place. */
  static String withTable(String readme) {
    int begin = readme.indexOf(BEGIN) + BEGIN.length();
    return readme.substring(0, begin) + table() + readme.substring(readme.indexOf(END, begin));
  }

  private static String table() {
    StringBuilder table = new StringBuilder();
    table.append("| key | value | default | meaning |\n|---|---|---|---|\n");
    for (Key<?> key : Keys.ALL) {
      String standard = key.standard() == null ? "" : String.valueOf(key.standard());
      table.append(
          "| `%s` | %s | %s | %s |\n"
              .formatted(
                  key.path(),
                  key.kind().rule(),
                  standard.isEmpty() ? "" : "`" + standard + "`",
                  meaning(key)));
    }
    return table.toString();
  }

  private static String meaning(Key<?> key) {
    List<String> parts = new ArrayList<>(List.of(key.meaning()));
    for (List<Key<?>> keys : Keys.ALTERNATIVES) {
      if (keys.contains(key)) {
        parts.add("exactly one of " + Kind.all(keys.stream().map(Key::path).toList()));
      }
    }
    if (key.need() == Key.Need.REQUIRED) {
      parts.add("required");
    }
    if (!key.conditions().isEmpty()) {
      parts.add(key.use());
    }
    return String.join("; ", parts);
  }

  static String schema() {
    Map<String, Object> root = new TreeMap<>();
    root.put("$schema", "https://json-schema.org/draft/2020-12/schema");
    root.put("title", "Nola training job");
    group(root, "");
    return json(root) + "\n";
  }

  /** Adds the keys of a group, and those of the groups in it. */
  private static void group(Map<String, Object> schema, String prefix) {
    Map<String, Object> properties = new TreeMap<>();
    List<String> required = new ArrayList<>();
    for (Key<?> key : Keys.ALL) {
      if (!key.path().startsWith(prefix)) {
        continue;
      }
      String name = key.path().substring(prefix.length());
      int dot = name.indexOf('.');
      if (dot < 0) {
        properties.put(name, property(key));
        if (key.need() == Key.Need.REQUIRED && key.conditions().isEmpty()) {
          required.add(name);
        }
      } else if (!properties.containsKey(name.substring(0, dot))) {
        Map<String, Object> inner = new TreeMap<>();
        group(inner, prefix + name.substring(0, dot + 1));
        properties.put(name.substring(0, dot), inner);
        if (inner.containsKey("required") || inner.containsKey("oneOf")) {
          required.add(name.substring(0, dot));
        }
      }
    }
    schema.put("type", "object");
    schema.put("properties", properties);
    if (!required.isEmpty()) {
      schema.put("required", required);
    }
    for (List<Key<?>> keys : Keys.ALTERNATIVES) {
      String first = keys.getFirst().path();
      if (first.substring(0, first.lastIndexOf('.') + 1).equals(prefix)) {
        schema.put(
            "oneOf",
            keys.stream()
                .map(key -> Map.of("required", List.of(key.path().substring(prefix.length()))))
                .toList());
      }
    }
    schema.put("additionalProperties", false);
  }

  private static Map<String, Object> property(Key<?> key) {
    Map<String, Object> property = new TreeMap<>();
    property.put("description", meaning(key));
    property.putAll(key.kind().schema());
    if (key.standard() != null) {
      property.put("default", key.standard());
    }
    return property;
  }

  private static String json(Object value) {
    return JsonMapper.builder()
        .enable(SerializationFeature.INDENT_OUTPUT)
        .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
        .build()
        .writeValueAsString(value);
  }
}
