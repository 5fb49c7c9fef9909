package dev.nola.registry.webhooks;

import dev.nola.registry.data.DataDirectory;
import java.io.IOException;
import java.util.HexFormat;
import java.util.UUID;
import org.springframework.stereotype.Component;

/**
 * Derives the secrets of webhooks from a key in the data directory, which the first start makes: so
 * the database, and its backups, have none of them.
 */
@Component
final class WebhookKey {
  private static final String FILE = "webhook-key";

  private final byte[] key;

  WebhookKey(DataDirectory data) throws IOException {
    key = HexFormat.of().parseHex(data.secret(FILE, DataDirectory::randomSecret));
  }

  /** Returns the secret of the webhook of this id. */
  WebhookSecret secretOf(UUID webhook) {
    return WebhookSecret.derive(key, webhook);
  }
}
