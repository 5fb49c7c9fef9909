package dev.nola.registry.catalog;

import jakarta.persistence.LockModeType;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface AdapterRepository extends Repository<AdapterEntity, Long> {
  Optional<AdapterEntity> findByNamespaceIdAndName(long namespaceId, String name);

  /**
   * Finds an adapter and locks it until the transaction ends, so that it changes one step at a
   * time.
   */
  @Lock(LockModeType.PESSIMISTIC_WRITE)
  @Query("select a from AdapterEntity a where a.namespaceId = :namespaceId and a.name = :name")
  Optional<AdapterEntity> lock(long namespaceId, String name);

  /**
   * Locks, in the order of their ids, an adapter and all that have a file, until the transaction
   * ends. The file's digest is locked already.
   */
  @Query(
      nativeQuery = true,
      value =
          """
          select id from adapter where id in (
            select id from adapter where namespace_id = :namespaceId and name = :name
            union select adapter_id from version where digest = :digest and deleted_at is null)
          order by id for no key update""")
  List<Long> lockWithFile(long namespaceId, String name, String digest);

  AdapterEntity saveAndFlush(AdapterEntity adapter);

  /** Returns 1, or 0 if there is one of that name. */
  @Modifying
  @Query(
      nativeQuery = true,
      value =
          """
          insert into adapter (namespace_id, name, description, private, created_at)
          values (:namespaceId, :name, '', :isPrivate, :now) on conflict do nothing""")
  int insertIfAbsent(long namespaceId, String name, boolean isPrivate, Instant now);
}
