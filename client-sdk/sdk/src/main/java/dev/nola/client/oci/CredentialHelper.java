package dev.nola.client.oci;

import dev.nola.client.http.CredentialsException;
import dev.nola.client.http.RegistryText;
import dev.nola.client.oci.DockerCredentials.Login;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A program that stores logins (Docker's credential helpers): the registry on stdin, JSON on
 * stdout.
 *
 * @param program its name on the path, or its file
 * @param environment its variables by name
 * @param limit the longest time it may take, which may include asking the user
 */
record CredentialHelper(String program, Map<String, String> environment, Duration limit) {
  private static final int MAX_ANSWER = 1 << 20;

  /** The user name that marks an identity token. */
  private static final String TOKEN_USER = "<token>";

  /**
   * Asks for a login.
   *
   * @param key the key of the login: a host, or Docker Hub's URL
   * @return the login; null if the helper has none
   * @throws CredentialsException if the helper cannot be started, fails, takes too long, or sends
   *     an invalid answer
   */
  @Nullable Login login(String key) throws CredentialsException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(program, "get").redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new CredentialsException(
          "credential helper not found: %s; the credentials file names it".formatted(program), e);
    }
    byte[] answer;
    try {
      long deadline = System.nanoTime() + limit.toNanos();
      FutureTask<byte[]> talk = new FutureTask<>(() -> talk(process, key));
      Thread.ofVirtual().start(talk);
      answer = talk.get(limit.toNanos(), TimeUnit.NANOSECONDS);
      if (answer.length > MAX_ANSWER) {
        throw new CredentialsException(
            "answer of credential helper too large: %s for %s; limit is %d bytes"
                .formatted(program, key, MAX_ANSWER),
            null);
      }
      if (!process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw late(key);
      }
    } catch (TimeoutException _) {
      throw late(key);
    } catch (ExecutionException e) {
      throw new CredentialsException(
          "cannot read answer of credential helper: " + program, e.getCause());
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    return process.exitValue() == 0 ? parse(answer, key) : refused(answer, key);
  }

  private static byte[] talk(Process process, String key) throws IOException {
    try (OutputStream in = process.getOutputStream()) {
      in.write(key.getBytes(StandardCharsets.UTF_8));
    } catch (IOException _) {
      // The helper exited without reading; its exit status and answer say why.
    }
    return process.getInputStream().readNBytes(MAX_ANSWER + 1);
  }

  private @Nullable Login parse(byte[] answer, String key) throws CredentialsException {
    JsonNode login;
    try {
      login = JsonMapper.shared().readTree(answer);
    } catch (JacksonException _) { // its message would quote a secret
      login = JsonMapper.shared().missingNode();
    }
    String user = login.path("Username").asString("");
    String secret = login.path("Secret").asString("");
    if (login.isObject() && user.isEmpty() && secret.isEmpty()) {
      return null;
    }
    if (user.isEmpty() || secret.isEmpty()) {
      throw new CredentialsException(
          "invalid answer of credential helper: %s for %s; must be a JSON object with Username and Secret"
              .formatted(program, key),
          null);
    }
    return new Login(user.equals(TOKEN_USER) ? "" : user, secret);
  }

  /** Returns null if the helper has no login, which it reports as a failure. */
  private @Nullable Login refused(byte[] answer, String key) throws CredentialsException {
    String reason = new String(answer, StandardCharsets.UTF_8);
    if (reason.contains("credentials not found")) {
      return null;
    }
    throw new CredentialsException(
        "credential helper %s failed for %s: %s"
            .formatted(program, key, RegistryText.printable(reason)),
        null);
  }

  private CredentialsException late(String key) {
    return new CredentialsException(
        "credential helper timed out: %s for %s; limit is %d seconds"
            .formatted(program, key, limit.toSeconds()),
        null);
  }
}
