package dev.nola.registry.access;

import dev.nola.api.Scope;
import dev.nola.digest.Sha256;
import dev.nola.registry.data.DataDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.stereotype.Component;

/**
 * Creates the first token. Its secret comes from the settings, or is a random one in a file that
 * only the server's user can read; it is never logged.
 */
@Component
class AdminToken implements ApplicationRunner {
  static final String ACCOUNT = "admin";
  static final String FILE = "admin-token";

  private static final Logger LOG = LoggerFactory.getLogger(AdminToken.class);

  private final AccessSettings settings;
  private final TokenRepository repository;
  private final TokenIssuer tokens;
  private final DataDirectory data;

  AdminToken(
      AccessSettings settings, TokenRepository repository, TokenIssuer tokens, DataDirectory data) {
    this.settings = settings;
    this.repository = repository;
    this.tokens = tokens;
    this.data = data;
  }

  @Override
  public void run(ApplicationArguments arguments) throws IOException {
    String configured = settings.adminToken();
    if (configured != null) {
      byte[] hash = Sha256.hash(configured.getBytes(StandardCharsets.UTF_8)).toBytes();
      if (repository.findByHash(hash).isEmpty()) {
        addUnlessAnotherServerDoes(configured, hash);
      }
    } else if (repository.count() == 0) {
      String secret = tokens.newSecret();
      Path file = data.resolve(FILE);
      // The file first: a secret that was stored but not written down would lock everyone out.
      DataDirectory.writePrivate(file, secret + "\n");
      add(secret, "of the first start");
      LOG.info("the admin token is in {}", file);
    }
  }

  /** Servers that start together on an empty database have the same token in their settings. */
  private void addUnlessAnotherServerDoes(String configured, byte[] hash) {
    try {
      add(configured, "from the settings");
    } catch (DataIntegrityViolationException e) {
      if (repository.findByHash(hash).isEmpty()) {
        throw e;
      }
    }
  }

  private void add(String secret, String description) {
    tokens.add(secret, new TokenGrant(ACCOUNT, description, Set.of(Scope.ADMIN), null, null, null));
  }
}
