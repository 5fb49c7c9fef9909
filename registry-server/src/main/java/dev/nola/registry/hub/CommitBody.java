package dev.nola.registry.hub;

import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.core.json.JsonFactory;

/**
 * The body of a commit: JSON objects, one a line, each with {@code key} and {@code value}. It is
 * read twice, since the encoding of a file follows its content: first without the contents, then
 * each content in turn, which is decoded as it is read.
 */
final class CommitBody {
  private static final int MAX_TEXT = 1 << 20;
  private static final int MAX_DEPTH = 8;
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxStringLength(MAX_TEXT)
                  .maxNestingDepth(MAX_DEPTH)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private final Source source;
  private final List<Line> lines;

  private CommitBody(Source source, List<Line> lines) {
    this.source = source;
    this.lines = List.copyOf(lines);
  }

  /** A body that was received. */
  @FunctionalInterface
  interface Source {
    /** Reads from the beginning. */
    InputStream open() throws IOException;
  }

  /** Receives the files. */
  @FunctionalInterface
  interface Target {
    /** Returns a stream for the content of a file, to be closed after it. */
    OutputStream open(CommitFile file) throws IOException;
  }

  /**
   * A line, without the content of a file.
   *
   * @param file that it adds; null if it is the header
   * @param isBase64 whether the content is, rather than text
   * @param parentCommit that a header states, or null
   */
  private record Line(@Nullable CommitFile file, boolean isBase64, @Nullable String parentCommit) {}

  /** Reads the content of the file of a line. */
  @FunctionalInterface
  private interface ContentReader {
    void read(JsonParser json, int index) throws IOException;
  }

  /**
   * Reads all but the contents.
   *
   * @param source the body
   * @return the commit
   * @throws Refusal if it is not a commit, or has an operation or a file that the registry refuses
   * @throws IOException if the body cannot be read
   */
  static CommitBody read(Source source) throws IOException {
    List<Line> lines = walk(source, (_, _) -> {});
    Set<CommitFile> files = EnumSet.noneOf(CommitFile.class);
    for (Line line : lines) {
      if (line.file() != null && !files.add(line.file())) {
        throw Refusal.invalid(
            "path",
            "file twice in the commit: %s; must be there once, and one .nola file at most"
                .formatted(line.file().path()));
      }
    }
    return new CommitBody(source, lines);
  }

  /** Returns the commit that must be the latest; null if any may be. */
  @Nullable String parentCommit() {
    return lines.stream().map(Line::parentCommit).filter(Objects::nonNull).findFirst().orElse(null);
  }

  /**
   * Decodes the files.
   *
   * @param target receives each
   * @throws Refusal if a content is not in the encoding that it states
   * @throws IOException if the body cannot be read, or a content cannot be written
   */
  void decode(Target target) throws IOException {
    walk(
        source,
        (json, index) -> {
          Line line = lines.get(index);
          if (line.file() != null) {
            try (OutputStream out = target.open(line.file())) {
              if (line.isBase64()) {
                json.readBinaryValue(out);
              } else {
                out.write(json.getString().getBytes(StandardCharsets.UTF_8));
              }
            }
          }
        });
  }

  private static List<Line> walk(Source source, ContentReader contents) throws IOException {
    List<Line> lines = new ArrayList<>();
    try (InputStream in = source.open();
        JsonParser json = JSON.createParser(ObjectReadContext.empty(), in)) {
      while (json.nextToken() != null) {
        lines.add(line(json, lines.size(), contents));
      }
    } catch (JacksonIOException e) {
      throw e.getCause();
    } catch (JacksonException e) {
      throw unreadable(lines.size(), e.getOriginalMessage());
    }
    return lines;
  }

  private static Line line(JsonParser json, int index, ContentReader contents) throws IOException {
    require(json, JsonToken.START_OBJECT, index);
    String key = null;
    Value value = new Value();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String name = json.currentName();
      json.nextToken();
      switch (name) {
        case "key" -> key = text(json, index);
        case "value" -> value.read(json, index, contents);
        default -> json.skipChildren();
      }
    }
    return switch (key) {
      case "header" -> new Line(null, false, value.parentCommit);
      case "file" -> value.file(index);
      case "deletedFile", "deletedFolder" ->
          throw Refusal.invalid(
              "operation",
              "file cannot be deleted: %s; versions are immutable: publish another, and yank this one with nola yank"
                  .formatted(Refusal.shown(value.path)));
      case null -> throw unreadable(index, "it has no key");
      default ->
          throw Refusal.invalid(
              "operation",
              "operation not supported: %s; must be header or file, with the content of the file"
                  .formatted(key));
    };
  }

  /** The value of a line, as far as it was read. */
  private static final class Value {
    private @Nullable String path;
    private @Nullable String encoding;
    private @Nullable String parentCommit;
    private boolean hasContent;

    void read(JsonParser json, int index, ContentReader contents) throws IOException {
      require(json, JsonToken.START_OBJECT, index);
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String name = json.currentName();
        json.nextToken();
        switch (name) {
          case "path" -> path = text(json, index);
          case "encoding" -> encoding = text(json, index);
          case "parentCommit" -> parentCommit = text(json, index);
          case "content" -> {
            require(json, JsonToken.VALUE_STRING, index);
            contents.read(json, index);
            hasContent = true;
          }
          default -> json.skipChildren();
        }
      }
    }

    Line file(int index) {
      if (path == null || !hasContent) {
        throw unreadable(index, "a file must have path and content");
      }
      return new Line(
          CommitFile.of(path),
          switch (encoding) {
            case "base64" -> true;
            case "utf-8" -> false;
            case null -> false;
            default ->
                throw Refusal.invalid(
                    "encoding",
                    "encoding of %s not supported: %s; must be base64 or utf-8"
                        .formatted(path, encoding));
          },
          null);
    }
  }

  private static void require(JsonParser json, JsonToken token, int index) {
    if (json.currentToken() != token) {
      throw unreadable(index, "%s where %s must be".formatted(json.currentToken(), token));
    }
  }

  private static String text(JsonParser json, int index) {
    require(json, JsonToken.VALUE_STRING, index);
    return json.getString();
  }

  private static Refusal unreadable(int index, String reason) {
    return Refusal.of(
        HttpStatus.BAD_REQUEST,
        "unreadable",
        "invalid commit: line %d: %s".formatted(index + 1, reason));
  }
}
