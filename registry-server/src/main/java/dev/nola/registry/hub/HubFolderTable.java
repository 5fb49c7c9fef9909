package dev.nola.registry.hub;

import dev.nola.digest.Sha256;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/** The table of folders, by the digest of the adapter's file. */
@Repository
class HubFolderTable {
  /**
   * To be increased when other bytes are made of the same file: folders of an earlier layout are
   * then derived again.
   */
  private static final int LAYOUT = 1;

  private final JdbcClient database;

  HubFolderTable(JdbcClient database) {
    this.database = database;
  }

  Optional<HubFolder> find(Sha256 digest) {
    return database
        .sql(
            "select card, config, weights_size, weights_digest from hub_folder"
                + " where digest = ? and layout = ?")
        .params(digest.toString(), LAYOUT)
        .query((row, _) -> folder(row))
        .optional();
  }

  /** Adds a folder, unless the file was deleted meanwhile or another server was faster. */
  void add(Sha256 digest, HubFolder folder) {
    HubFolder.Lora lora = folder.lora();
    database
        .sql(
            """
            insert into hub_folder (digest, layout, card, config, weights_size, weights_digest)
            select :digest, :layout, :card, :config::bytea, :size::bigint, :weights::text
            where exists (select from version where digest = :digest and deleted_at is null)
            on conflict (digest) do update
            set layout = excluded.layout, card = excluded.card, config = excluded.config,
              weights_size = excluded.weights_size, weights_digest = excluded.weights_digest
            where hub_folder.layout < excluded.layout""")
        .param("digest", digest.toString())
        .param("layout", LAYOUT)
        .param("card", folder.card())
        .param("config", lora == null ? null : lora.config())
        .param("size", lora == null ? null : lora.size())
        .param("weights", lora == null ? null : lora.digest().toString())
        .update();
  }

  /** Removes the folder of a file that no version has any more. */
  void removeUnused(String digest) {
    database
        .sql(
            "delete from hub_folder where digest = :digest and not exists"
                + " (select from version where digest = :digest and deleted_at is null)")
        .param("digest", digest)
        .update();
  }

  private static HubFolder folder(ResultSet row) throws SQLException {
    byte[] config = row.getBytes("config");
    return new HubFolder(
        row.getBytes("card"),
        config == null
            ? null
            : new HubFolder.Lora(
                config,
                row.getLong("weights_size"),
                Sha256.parse(row.getString("weights_digest"))));
  }
}
