package dev.nola.registry.web;

import dev.nola.api.InvalidValueException;
import dev.nola.digest.Sha256;
import dev.nola.text.Label;
import dev.nola.text.Printable;
import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import org.apache.tomcat.util.http.InvalidParameterException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.security.web.firewall.RequestRejectedException;
import org.springframework.transaction.TransactionException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;
import org.springframework.web.util.DisconnectedClientHelper;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.ValueInstantiationException;
import tools.jackson.databind.json.JsonMapper;

/** Turns exceptions into problem details (RFC 9457). */
@RestControllerAdvice
class Problems extends ResponseEntityExceptionHandler {
  private static final Logger LOG = LoggerFactory.getLogger(Problems.class);
  static final String TYPE = "urn:nola:problem:";
  private static final String INVALID_CHARACTER = "22021"; // SQLSTATE
  private static final String DISK_FULL = "53100";
  private static final String FOREIGN_KEY = "23503";
  private static final String DATA_EXCEPTION = "22"; // class of SQLSTATE
  private static final Duration RETRY = Duration.ofSeconds(5);

  private final RequestErrorMessages wording;

  Problems(JsonMapper json) {
    this.wording = new RequestErrorMessages(json);
  }

  @ExceptionHandler
  ResponseEntity<Object> refused(Refusal refusal) {
    ProblemDetail problem =
        problem(refusal.status(), refusal.type(), String.valueOf(refusal.getMessage()));
    if (!refusal.violations().isEmpty()) {
      problem.setProperty("violations", refusal.violations());
    }
    HttpHeaders headers = new HttpHeaders();
    // Set here, since a problem without a type is not written if the Accept header is malformed.
    headers.setContentType(MediaType.APPLICATION_PROBLEM_JSON);
    if (refusal.retryAfter() != null) {
      long seconds = Math.max(1, refusal.retryAfter().plusMillis(999).toSeconds());
      headers.set(HttpHeaders.RETRY_AFTER, Long.toString(seconds));
    }
    refusal.headers().forEach(headers::set);
    refusal.challenge().ifPresent(value -> headers.set(HttpHeaders.WWW_AUTHENTICATE, value));
    return new ResponseEntity<>(problem, headers, refusal.status());
  }

  /** Handles a database that is unavailable or closed the connection; a retry may succeed. */
  @ExceptionHandler({
    DataAccessResourceFailureException.class,
    TransientDataAccessException.class,
    TransactionException.class
  })
  ResponseEntity<Object> databaseAway(Exception failure) {
    LOG.error("database unavailable", failure);
    return refused(Refusal.unavailable("database unavailable; try again later", RETRY));
  }

  @ExceptionHandler
  @Nullable ResponseEntity<Object> database(DataAccessException failure) {
    if (!(failure.getMostSpecificCause() instanceof SQLException cause)) {
      return unexpected(failure);
    }
    String state = cause.getSQLState();
    // SQLSTATE class 08: connection exception; 57P: the server is shutting down; none: the pool
    // says
    // so, of a connection that it has closed.
    if (state == null || state.startsWith("08") || state.startsWith("57P")) {
      return databaseAway(failure);
    }
    if (state.equals(DISK_FULL)) {
      LOG.error("the database has no disk space left", failure);
      return refused(
          Refusal.of(
              HttpStatus.INSUFFICIENT_STORAGE,
              "disk-full",
              "the registry has no disk space left; nothing was stored"));
    }
    if (state.equals(FOREIGN_KEY)) {
      // A namespace is deleted while something is added to it: the one or the other is refused.
      return refused(
          Refusal.of(
              HttpStatus.CONFLICT,
              "changed-meanwhile",
              "what the request names was deleted, or got its first content, at the same time; read"
                  + " it again"));
    }
    if (state.equals(INVALID_CHARACTER)) {
      return refused(
          Refusal.invalid("request", "text contains the character NUL, which cannot be stored"));
    }
    if (state.startsWith(DATA_EXCEPTION)) {
      LOG.debug("value refused by the database: {}", Printable.line(reason(cause)));
      return refused(
          Refusal.of(
              HttpStatus.BAD_REQUEST,
              "unreadable",
              "a value of the request is out of range: " + reason(cause)));
    }
    return unexpected(failure);
  }

  /** Returns the first line of the database's message, which has the value. */
  private static String reason(SQLException failure) {
    return failure instanceof PSQLException e
            && e.getServerErrorMessage() instanceof ServerErrorMessage message
        ? String.valueOf(message.getMessage())
        : "cannot be stored";
  }

  /** Handles a query or form that cannot be decoded, or has too many parameters. */
  @ExceptionHandler
  ResponseEntity<Object> undecodable(
      InvalidParameterException failure, HttpServletRequest request) {
    return refused(
        Refusal.of(
            HttpStatus.BAD_REQUEST, "unreadable", wording.ofQuery(request.getQueryString())));
  }

  /** Handles what Spring Security's firewall finds when a header or a parameter's name is read. */
  @ExceptionHandler
  ResponseEntity<Object> unprintable(RequestRejectedException failure, HttpServletRequest request) {
    return refused(
        Refusal.of(
            HttpStatus.BAD_REQUEST,
            "unreadable",
            RequestErrorMessages.ofCharacters(request.getQueryString())));
  }

  @ExceptionHandler
  @Nullable ResponseEntity<Object> unexpected(Exception failure) {
    if (isStorageUnavailable(failure)) {
      LOG.error("file storage unavailable", failure);
      return refused(Refusal.unavailable("file storage unavailable; try again later", RETRY));
    }
    if (DisconnectedClientHelper.isClientDisconnectedException(failure)) {
      LOG.debug("client disconnected", failure);
      return null;
    }
    LOG.error("request failed", failure);
    return refused(
        Refusal.of(
            HttpStatus.INTERNAL_SERVER_ERROR,
            "internal",
            RequestErrorMessages.of(HttpStatus.INTERNAL_SERVER_ERROR)));
  }

  /** To be asked first: a broken pipe to the store looks like one to the client. */
  private static boolean isStorageUnavailable(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof StorageUnavailable) {
        return true;
      }
    }
    return false;
  }

  @Override
  protected @Nullable ResponseEntity<Object> handleHttpMessageNotReadable(
      HttpMessageNotReadableException failure,
      HttpHeaders headers,
      HttpStatusCode status,
      WebRequest request) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof Refusal refusal) {
        return refused(refusal); // of the body as it was read
      }
    }
    if (failure.getCause() instanceof InvalidFormatException invalid
        && (invalid.getTargetType() == Sha256.class || invalid.getTargetType() == String.class)) {
      // A digest is a text in JSON; an invalid one breaks a rule like any other value. So does a
      // text that cannot be stored.
      return refused(
          Refusal.invalid(RequestErrorMessages.field(invalid), wording.of(failure, status)));
    }
    if (failure.getCause() instanceof ValueInstantiationException e
        && e.getCause() instanceof InvalidValueException invalid) {
      return refused(Refusal.invalid(invalid.field(), String.valueOf(invalid.getMessage())));
    }
    return refused(Refusal.of(HttpStatus.BAD_REQUEST, "unreadable", wording.of(failure, status)));
  }

  /** Keeps the status and headers of the framework's exceptions, and replaces their texts. */
  @Override
  protected @Nullable ResponseEntity<Object> handleExceptionInternal(
      Exception failure,
      @Nullable Object body,
      HttpHeaders headers,
      HttpStatusCode status,
      WebRequest request) {
    if (status.is5xxServerError()
        && !DisconnectedClientHelper.isClientDisconnectedException(failure)) {
      LOG.error("request failed", failure);
    }
    ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, wording.of(failure, status));
    complete(problem, name(status));
    HttpHeaders all = HttpHeaders.copyOf(headers);
    all.setContentType(MediaType.APPLICATION_PROBLEM_JSON);
    return super.handleExceptionInternal(failure, problem, all, status, request);
  }

  static String name(HttpStatusCode status) {
    HttpStatus known = HttpStatus.resolve(status.value());
    return known == null ? "refused" : Label.of(known);
  }

  private static ProblemDetail problem(HttpStatus status, String type, String detail) {
    ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail);
    complete(problem, type);
    return problem;
  }

  static void complete(ProblemDetail problem, String type) {
    problem.setType(URI.create(TYPE + type));
    problem.setProperty("requestId", RequestIds.current());
  }
}
