package dev.nola.registry.catalog;

import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.Table;

@Entity
@Table(name = "alias")
class AliasEntity {
  @Embeddable
  record Key(long adapterId, String name) {}

  @EmbeddedId Key key = new Key(0, "");
  long versionId;

  static AliasEntity of(Key key, long versionId) {
    AliasEntity alias = new AliasEntity();
    alias.key = key;
    alias.versionId = versionId;
    return alias;
  }
}
