package dev.nola.registry.signing;

import dev.nola.registry.data.StartCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/**
 * Checks the key in the data directory, if it is needed; that of the settings was read with them.
 */
@Component
final class SigningKeyCheck implements StartCheck {
  private final SigningSettings settings;
  private final Path file;

  SigningKeyCheck(SigningSettings settings, @Value("${nola.data}") String data) {
    this.settings = settings;
    this.file = Path.of(data).toAbsolutePath().normalize().resolve(RegistryKey.FILE);
  }

  @Override
  public String subject() {
    return "signing key";
  }

  @Override
  public String run() {
    if (settings.key() != null) {
      return "given by nola.signing.key";
    }
    if (!Files.exists(file)) {
      return file + " will be made";
    }
    try {
      RegistryKey.parse(file, Files.readString(file));
    } catch (IOException e) {
      throw RegistryKey.unreadable(file, e);
    }
    return file.toString();
  }
}
