package dev.nola.client.registry;

import dev.nola.client.RegistryUrl;
import dev.nola.files.AtomicFile;
import dev.nola.files.ProcessLock;
import dev.nola.files.UserDirectories;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The file that keeps a user's tokens, by registry. Only its owner can read it, from its first
 * moment on; one that others can read is refused. It is replaced as a whole, so that a reader sees
 * the old or the new one, and processes that change it wait for each other.
 */
public final class Credentials {
  private static final String FILE = "credentials.json";
  private static final String REGISTRIES = "registries";
  private static final String TOKEN = "token";

  private final Path file;

  private Credentials(Path file) {
    this.file = file;
  }

  /**
   * Returns the user's file: {@code credentials.json} in {@code $NOLA_CONFIG}, or in {@code
   * ${XDG_CONFIG_HOME:-~/.config}/nola}.
   *
   * @return the user's credentials
   */
  public static Credentials standard() {
    return of(System.getenv());
  }

  /**
   * Returns the file that a process with these environment variables would use.
   *
   * @param environment the variables by name
   * @return the credentials
   */
  public static Credentials of(Map<String, String> environment) {
    return at(UserDirectories.config(environment).resolve(FILE));
  }

  /**
   * Returns the credentials in a file of another name.
   *
   * @param file the file, which need not exist
   * @return the credentials
   */
  public static Credentials at(Path file) {
    return new Credentials(file.toAbsolutePath().normalize());
  }

  /**
   * Returns the file's path.
   *
   * @return the path
   */
  public Path path() {
    return file;
  }

  /**
   * Returns the token for a registry.
   *
   * @param registry the registry's URL
   * @return the token, or null if not logged in
   * @throws IllegalArgumentException if the URL is not a registry's URL
   * @throws IOException if the file cannot be read, or others can read it
   */
  public @Nullable String token(URI registry) throws IOException {
    JsonNode token =
        read().path(REGISTRIES).path(RegistryUrl.normalize(registry).toString()).path(TOKEN);
    return token.isString() ? token.asString() : null;
  }

  /**
   * Saves a token for a registry and replaces any other.
   *
   * @param registry the registry's URL
   * @param token the token
   * @throws IllegalArgumentException if the URL is not a registry's URL
   * @throws IOException if the file cannot be written, or others can read it
   */
  public void save(URI registry, String token) throws IOException, InterruptedException {
    String url = RegistryUrl.normalize(registry).toString();
    try (ProcessLock _ = lock()) {
      ObjectNode all = read();
      all.withObject("/" + REGISTRIES).putObject(url).put(TOKEN, token);
      write(all);
    }
  }

  /**
   * Removes the token for a registry.
   *
   * @param registry the registry's URL
   * @return false if there was none
   * @throws IllegalArgumentException if the URL is not a registry's URL
   * @throws IOException if the file cannot be written, or others can read it
   */
  public boolean remove(URI registry) throws IOException, InterruptedException {
    String url = RegistryUrl.normalize(registry).toString();
    if (!Files.exists(file)) {
      return false;
    }
    try (ProcessLock _ = lock()) {
      ObjectNode all = read();
      if (all.withObject("/" + REGISTRIES).remove(url) == null) {
        return false;
      }
      write(all);
      return true;
    }
  }

  private ProcessLock lock() throws IOException, InterruptedException {
    UserDirectories.createPrivate(folder());
    return ProcessLock.acquire(folder().resolve("." + file.getFileName() + ".lock"));
  }

  private ObjectNode read() throws IOException {
    byte[] bytes;
    try {
      if (UserDirectories.isOpenToOthers(file)) {
        throw new IOException(
            "%s contains tokens, but other users can read or change it; to fix this, run: chmod 600 %s"
                .formatted(file, file));
      }
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException _) {
      return JsonMapper.shared().createObjectNode();
    }
    try {
      if (JsonMapper.shared().readTree(bytes) instanceof ObjectNode all
          && (all.path(REGISTRIES).isMissingNode() || all.path(REGISTRIES).isObject())) {
        return all;
      }
    } catch (JacksonException _) {
      // Its message would quote the file, and so perhaps a token.
    }
    throw new IOException(file + " is not a credentials file; remove it and log in again");
  }

  private void write(ObjectNode all) throws IOException {
    byte[] bytes = JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(all);
    AtomicFile.write(file, bytes, UserDirectories.ownerOnly("rw-------"));
  }

  private Path folder() throws IOException {
    Path folder = file.getParent();
    if (folder == null) {
      throw new IOException(file + " is a folder");
    }
    return folder;
  }
}
