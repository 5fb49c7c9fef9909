package dev.nola.registry;

import dev.nola.registry.data.StartFailure;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.core.convert.ConversionException;

/** Finds the cause of a failed start that the operator can change. */
final class StartFailureReason {
  private StartFailureReason() {}

  /** Returns why the server cannot start, as far as its operator can change that. */
  static String of(Throwable failure) {
    Throwable deepest = failure;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (named(cause) instanceof String reason) {
        return reason;
      }
      deepest = cause;
    }
    return deepest.getMessage() == null ? deepest.toString() : deepest.getMessage();
  }

  /** Returns what names the setting or port to change, which the deepest cause does not know. */
  private static @Nullable String named(Throwable cause) {
    return switch (cause) {
      case StartFailure start -> start.getMessage() + ". " + start.advice();
      case PortInUseException used ->
          "port in use: %d; choose another with --port".formatted(used.getPort());
      case BindException bind when bind.getCause() instanceof ConversionException ->
          SettingsCheck.invalid(bind);
      default -> null;
    };
  }
}
