package dev.nola.registry.web;

import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.transaction.TransactionException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;
import org.springframework.web.util.DisconnectedClientHelper;
import tools.jackson.core.JacksonException;

/** Turns what goes wrong into problem details (RFC 9457). */
@RestControllerAdvice
class Problems extends ResponseEntityExceptionHandler {
  private static final Logger LOG = LoggerFactory.getLogger(Problems.class);
  private static final String TYPE = "urn:nola:problem:";
  private static final String INVALID_CHARACTER = "22021"; // SQLSTATE
  private static final Duration DATABASE_RETRY = Duration.ofSeconds(5);

  @ExceptionHandler
  ResponseEntity<Object> refused(Refusal refusal) {
    ProblemDetail problem =
        problem(refusal.status(), refusal.type(), String.valueOf(refusal.getMessage()));
    if (!refusal.violations().isEmpty()) {
      problem.setProperty("violations", refusal.violations());
    }
    HttpHeaders headers = new HttpHeaders();
    if (refusal.retryAfter() != null) {
      long seconds = Math.max(1, refusal.retryAfter().plusMillis(999).toSeconds());
      headers.set(HttpHeaders.RETRY_AFTER, Long.toString(seconds));
    }
    refusal.challenge().ifPresent(value -> headers.set(HttpHeaders.WWW_AUTHENTICATE, value));
    return new ResponseEntity<>(problem, headers, refusal.status());
  }

  /** The database is away, or cut the connection: the same request may work in a moment. */
  @ExceptionHandler({
    DataAccessResourceFailureException.class,
    TransientDataAccessException.class,
    TransactionException.class
  })
  ResponseEntity<Object> databaseAway(Exception failure) {
    LOG.error("the database cannot be used", failure);
    return refused(Refusal.unavailable("the database cannot be used just now", DATABASE_RETRY));
  }

  @ExceptionHandler
  @Nullable ResponseEntity<Object> database(DataAccessException failure) {
    if (!(failure.getMostSpecificCause() instanceof SQLException cause)) {
      return unexpected(failure);
    }
    String state = cause.getSQLState();
    // SQLSTATE class 08: connection exception; 57P: the server was told to end; none: the pool says
    // so, of a connection that it has closed.
    if (state == null || state.startsWith("08") || state.startsWith("57P")) {
      return databaseAway(failure);
    }
    if (state.equals(INVALID_CHARACTER)) {
      return refused(Refusal.invalid("request", "a text has a character NUL, which is not stored"));
    }
    return unexpected(failure);
  }

  @ExceptionHandler
  @Nullable ResponseEntity<Object> unexpected(Exception failure) {
    if (DisconnectedClientHelper.isClientDisconnectedException(failure)) {
      LOG.debug("the caller has gone", failure);
      return null;
    }
    LOG.error("request failed", failure);
    return refused(
        Refusal.of(
            HttpStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed; its log has the reason under this request's id"));
  }

  @Override
  protected @Nullable ResponseEntity<Object> handleHttpMessageNotReadable(
      HttpMessageNotReadableException failure,
      HttpHeaders headers,
      HttpStatusCode status,
      WebRequest request) {
    Throwable cause = failure.getMostSpecificCause();
    String why = null;
    if (cause instanceof JacksonException e) {
      why = e.getOriginalMessage();
    } else if (failure.getCause() instanceof JacksonException) {
      why = cause.getMessage(); // of a record that cannot be so
    }
    return refused(
        Refusal.of(
            HttpStatus.BAD_REQUEST,
            "unreadable",
            why == null ? "the body is not readable" : "the body is not readable: " + why));
  }

  @Override
  protected ResponseEntity<Object> createResponseEntity(
      @Nullable Object body, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
    if (body instanceof ProblemDetail problem) {
      HttpStatus known = HttpStatus.resolve(status.value());
      String name = known == null ? "refused" : known.name().toLowerCase().replace('_', '-');
      complete(problem, name);
      if (status.value() == HttpStatus.NOT_FOUND.value()) {
        problem.setDetail("there is no such path; see /v3/api-docs");
      }
    }
    return new ResponseEntity<>(body, headers, status);
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
