package dev.nola.registry.catalog;

import dev.nola.api.Alias;
import dev.nola.api.AliasChange;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface AliasRepository extends Repository<AliasEntity, AliasEntity.Key> {
  AliasEntity saveAndFlush(AliasEntity alias);

  void delete(AliasEntity alias);

  void deleteById(AliasEntity.Key key);

  @Query(
      "select new dev.nola.api.Alias(a.key.name, v.version) from AliasEntity a"
          + " join VersionEntity v on v.id = a.versionId"
          + " where a.key.adapterId = :adapterId order by a.key.name")
  List<Alias> ofAdapter(long adapterId);

  @Query("select a from AliasEntity a where a.versionId = :versionId order by a.key.name")
  List<AliasEntity> ofVersion(long versionId);

  /** Returns the changes of an alias, latest first. */
  @Query(
      "select new dev.nola.api.AliasChange(v.version, c.changedBy, c.changedAt)"
          + " from AliasChangeEntity c left join VersionEntity v on v.id = c.versionId"
          + " where c.adapterId = :adapterId and c.name = :name order by c.id desc limit 1000")
  List<AliasChange> history(long adapterId, String name);

  @Modifying
  @Query(
      nativeQuery = true,
      value =
          """
          insert into alias_change (adapter_id, name, version_id, changed_by, changed_at)
          values (:adapterId, :name, :versionId, :account, :time)""")
  void note(long adapterId, String name, @Nullable Long versionId, String account, Instant time);
}
