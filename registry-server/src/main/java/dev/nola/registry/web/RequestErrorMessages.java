package dev.nola.registry.web;

import dev.nola.digest.Sha256;
import java.time.temporal.Temporal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.TypeMismatchException;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.validation.BindException;
import org.springframework.web.HttpMediaTypeNotAcceptableException;
import org.springframework.web.HttpMediaTypeNotSupportedException;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.bind.MissingServletRequestParameterException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.InvalidNullException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.PropertyBindingException;
import tools.jackson.databind.exc.ValueInstantiationException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes messages for requests that fail before they reach an endpoint, as the endpoints do: the
 * value and the rule. The libraries' own messages would show classes and settings of the server.
 *
 * @param json writes enum values as the API names them
 */
record RequestErrorMessages(JsonMapper json) {
  private static final int SHOWN = 100;
  private static final String OURS = "dev.nola.";
  private static final Set<Class<?>> WHOLE =
      Set.of(int.class, Integer.class, long.class, Long.class);

  /**
   * Returns the detail of a problem.
   *
   * @param failure of the request
   * @param status of the response
   * @return one line for the client
   */
  String of(Exception failure, HttpStatusCode status) {
    return switch (failure) {
      case HttpMessageNotReadableException e -> ofBody(e);
      case BindException e when mismatch(e) instanceof TypeMismatchException cause ->
          of(cause, status);
      case TypeMismatchException e when "".equals(e.getValue()) ->
          "%s is empty; must be %s".formatted(e.getPropertyName(), rule(e.getRequiredType()));
      case TypeMismatchException e ->
          "invalid %s: %s; must be %s"
              .formatted(e.getPropertyName(), show(e.getValue()), rule(e.getRequiredType()));
      case MissingServletRequestParameterException e ->
          "parameter %s is missing; must be %s"
              .formatted(
                  e.getParameterName(),
                  rule(
                      e.getMethodParameter() == null
                          ? null
                          : e.getMethodParameter().getParameterType()));
      case HttpMediaTypeNotSupportedException e ->
          "%s; must be %s"
              .formatted(
                  e.getContentType() == null
                      ? "Content-Type is missing"
                      : "invalid Content-Type: " + show(withoutParameters(e.getContentType())),
                  oneOf(types(e.getSupportedMediaTypes())));
      case HttpMediaTypeNotAcceptableException e ->
          "no representation matches Accept; available: "
              + String.join(", ", types(e.getSupportedMediaTypes()));
      case HttpRequestMethodNotSupportedException e ->
          "method %s not allowed; use %s"
              .formatted(
                  e.getMethod(),
                  String.join(
                      " or ",
                      e.getSupportedMethods() == null
                          ? Set.of()
                          : new TreeSet<>(Arrays.asList(e.getSupportedMethods()))));
      default -> of(status);
    };
  }

  /**
   * Returns the detail of a query that cannot be decoded.
   *
   * @param query as it was sent, or null for a form's body
   * @return one line for the client
   */
  String ofQuery(@Nullable String query) {
    return query == null
        ? "the form cannot be decoded; must be percent-encoded UTF-8"
        : "the query cannot be decoded: %s; must be percent-encoded UTF-8 without NUL, of at most 1000 parameters"
            .formatted(show(query));
  }

  /**
   * Returns the detail of a request with characters that nobody writes on purpose.
   *
   * @param query as it was sent, or null
   * @return one line for the client
   */
  static String ofCharacters(@Nullable String query) {
    return "a header, or the name of a parameter in the query, has characters that are not printable%s; must be assigned Unicode characters other than controls"
        .formatted(query == null ? "" : ": " + show(query));
  }

  /**
   * Returns the detail of a problem of which only the status is known.
   *
   * @param status of the response
   * @return one line for the client
   */
  static String of(HttpStatusCode status) {
    return switch (HttpStatus.resolve(status.value())) {
      case NOT_FOUND -> "path not found; see /v3/api-docs";
      case METHOD_NOT_ALLOWED -> "method not allowed; see /v3/api-docs";
      case EXPECTATION_FAILED -> "Expect header not supported; use 100-continue, or none";
      case NOT_IMPLEMENTED -> "Transfer-Encoding not supported; use chunked, or Content-Length";
      case HTTP_VERSION_NOT_SUPPORTED -> "HTTP version not supported; use HTTP/1.1";
      case null, default ->
          status.is5xxServerError()
              ? "internal server error; the server's log has the reason under this request id"
              : "malformed HTTP request";
    };
  }

  private static @Nullable TypeMismatchException mismatch(BindException failure) {
    return failure.getAllErrors().stream()
        .filter(error -> error.contains(TypeMismatchException.class))
        .map(error -> error.unwrap(TypeMismatchException.class))
        .findFirst()
        .orElse(null);
  }

  private String ofBody(HttpMessageNotReadableException failure) {
    return switch (failure.getCause()) {
      case JacksonException e -> of(e);
      case null -> "the body is missing; must be JSON";
      default -> "the body cannot be read: it ended early or does not match its headers";
    };
  }

  private String of(JacksonException failure) {
    String where = where(failure.getPath());
    return switch (failure) {
      case InvalidFormatException e when e.getTargetType() == String.class ->
          "invalid %s: NUL or half of a surrogate pair; must be Unicode characters other than NUL"
              .formatted(where);
      case InvalidFormatException e when "".equals(e.getValue()) ->
          "%s is an empty string; must be %s".formatted(where, rule(e.getTargetType()));
      case InvalidFormatException e when e.getValue() instanceof String && !isText(e) ->
          "%s is a string; must be %s".formatted(where, rule(e.getTargetType()));
      case InvalidFormatException e ->
          "invalid %s: %s; must be %s"
              .formatted(where, show(e.getValue()), rule(e.getTargetType()));
      case InvalidNullException _ -> "%s contains null; must be a value".formatted(where);
      case PropertyBindingException e ->
          "unknown property %s; must be %s".formatted(where, oneOf(names(e.getKnownPropertyIds())));
      case MismatchedInputException e -> ofToken(where, e);
      case ValueInstantiationException e when worded(e.getCause()) instanceof String reason ->
          e.getPath().isEmpty() ? reason : where + ": " + reason;
      case ValueInstantiationException _ -> where + " contains null; a value is required";
      case InputCoercionException e ->
          "%s is out of range; must be %s".formatted(where, rule(e.getTargetType()));
      case StreamConstraintsException _ ->
          "the body exceeds a limit: %d levels of nesting, %d characters in a string, %d digits in a number"
              .formatted(
                  limits().getMaxNestingDepth(),
                  limits().getMaxStringLength(),
                  limits().getMaxNumberLength());
      case StreamReadException e when isDuplicate(e) ->
          "the body has a property twice" + place(e.getLocation()) + "; each name may occur once";
      case StreamReadException e -> "the body is not valid JSON" + place(e.getLocation());
      default -> where + " is invalid; see /v3/api-docs";
    };
  }

  /** Returns whether values of a type are texts in JSON. */
  private static boolean isText(InvalidFormatException failure) {
    Class<?> type = failure.getTargetType();
    return type.isEnum()
        || type == UUID.class
        || type == Sha256.class
        || Temporal.class.isAssignableFrom(type);
  }

  /** Jackson has no class of its own for it. */
  private static boolean isDuplicate(StreamReadException failure) {
    return String.valueOf(failure.getOriginalMessage()).startsWith("Duplicate ");
  }

  private StreamReadConstraints limits() {
    return json.tokenStreamFactory().streamReadConstraints();
  }

  private String ofToken(String where, MismatchedInputException failure) {
    String rule = rule(failure.getTargetType());
    return switch (failure.getCurrentToken()) {
      case null -> "%s is empty; must be %s".formatted(where, rule);
      case JsonToken token
          when token == JsonToken.VALUE_STRING && failure.getTargetType() == UUID.class ->
          "%s is an empty string; must be %s".formatted(where, rule); // others have a text
      case VALUE_NULL, END_OBJECT -> "%s is missing or null; must be %s".formatted(where, rule);
      case JsonToken token when failure.getPath().isEmpty() && kind(token).equals(rule) ->
          "unexpected content after the JSON body" + place(failure.getLocation());
      case JsonToken token -> "%s is %s; must be %s".formatted(where, kind(token), rule);
    };
  }

  /** Returns the field that a failure is about, without indexes, such as {@code files.digest}. */
  static String field(JacksonException failure) {
    return failure.getPath().stream()
        .map(JacksonException.Reference::getPropertyName)
        .filter(Objects::nonNull)
        .collect(Collectors.joining("."));
  }

  /** Returns a path such as {@code train.version} or {@code files[2].size}. */
  private static String where(List<JacksonException.Reference> path) {
    StringBuilder text = new StringBuilder();
    for (JacksonException.Reference step : path) {
      if (step.getPropertyName() == null) {
        text.append('[').append(step.getIndex()).append(']');
      } else {
        text.append(text.isEmpty() ? "" : ".").append(show(step.getPropertyName()));
      }
    }
    return text.isEmpty() ? "the body" : text.toString();
  }

  /** Returns the message of a record of this project that rejects its components, else null. */
  private static @Nullable String worded(@Nullable Throwable cause) {
    if (cause == null || cause.getMessage() == null || cause.getStackTrace().length == 0) {
      return null;
    }
    String thrower = cause.getStackTrace()[0].getClassName();
    boolean insisted = thrower.equals(Objects.class.getName());
    return insisted || thrower.startsWith(OURS) ? cause.getMessage() : null;
  }

  private String rule(@Nullable Class<?> type) {
    if (type == null) {
      return "another value";
    }
    if (type.isEnum()) {
      return oneOf(
          Arrays.stream(type.getEnumConstants())
              .map(constant -> json.convertValue(constant, String.class))
              .toList());
    }
    if (WHOLE.contains(type)) {
      boolean small = type == int.class || type == Integer.class;
      return "a %d-bit integer".formatted(small ? Integer.SIZE : Long.SIZE);
    }
    return switch (type) {
      case Class<?> c when c == double.class || c == Double.class -> "a number";
      case Class<?> c when c == boolean.class || c == Boolean.class -> "true or false";
      case Class<?> c when c == UUID.class -> "a UUID (8-4-4-4-12 hexadecimal digits)";
      case Class<?> c when c == String.class -> "a string";
      case Class<?> c when c == Sha256.class -> "sha256: and 64 hexadecimal digits";
      case Class<?> c when Temporal.class.isAssignableFrom(c) ->
          "a time such as 2026-01-31T12:00:00Z, in the years 1970 to 9999";
      case Class<?> c when Collection.class.isAssignableFrom(c) || c.isArray() -> "a list";
      case Class<?> c when Map.class.isAssignableFrom(c) || c.isRecord() -> "an object";
      default -> "another value";
    };
  }

  private static String kind(JsonToken token) {
    return switch (token) {
      case START_OBJECT, PROPERTY_NAME -> "an object";
      case START_ARRAY, END_ARRAY -> "a list";
      case VALUE_STRING -> "a string";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_TRUE, VALUE_FALSE -> "true or false";
      default -> "not a value";
    };
  }

  private static String place(@Nullable TokenStreamLocation location) {
    return location == null || location.getLineNr() < 1
        ? ""
        : ": line %d, column %d".formatted(location.getLineNr(), location.getColumnNr());
  }

  /**
   * Shortens a value of a request for a message.
   *
   * @param value of any length
   * @return its beginning
   */
  static String show(@Nullable Object value) {
    String text =
        value instanceof Object[] several ? Arrays.toString(several) : String.valueOf(value);
    return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
  }

  private static List<String> names(@Nullable Collection<Object> known) {
    return known == null ? List.of() : known.stream().map(String::valueOf).sorted().toList();
  }

  /** Drops the charset, which the framework adds. */
  private static String withoutParameters(MediaType type) {
    return type.getType() + "/" + type.getSubtype();
  }

  private static Set<String> types(List<MediaType> supported) {
    return supported.stream()
        .filter(type -> !type.isWildcardSubtype())
        .map(MediaType::toString)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * Returns the rule that a word is one of some.
   *
   * @param words that are allowed
   * @return what follows {@code must be}
   */
  static String oneOf(Collection<String> words) {
    List<String> all = new ArrayList<>(words);
    return switch (all.size()) {
      case 0 -> "left out";
      case 1 -> all.getFirst();
      default -> "one of " + String.join(", ", all);
    };
  }
}
