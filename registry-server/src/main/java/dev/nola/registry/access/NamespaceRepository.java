package dev.nola.registry.access;

import jakarta.persistence.LockModeType;
import java.time.Instant;
import java.util.Optional;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface NamespaceRepository extends Repository<NamespaceEntity, Long> {
  Optional<NamespaceEntity> findByName(String name);

  /**
   * Finds a namespace and locks it until the transaction ends, so that members change one at a
   * time.
   */
  @Lock(LockModeType.PESSIMISTIC_WRITE)
  @Query("select n from NamespaceEntity n where n.name = :name")
  Optional<NamespaceEntity> lockByName(String name);

  /** Lets the namespaces of an account be created one at a time until the transaction ends. */
  @Query(
      nativeQuery = true,
      value =
          "select 1 from (select pg_advisory_xact_lock(hashtextextended('namespaces of ' || :account, 0))) as held")
  int lockAccount(String account);

  /** Returns 1, or 0 if there is one of that name. */
  @Modifying
  @Query(
      nativeQuery = true,
      value =
          "insert into namespace (name, created_at) values (:name, :now) on conflict do nothing")
  int insertIfAbsent(String name, Instant now);

  /** Returns what a namespace has, in words; empty if it has nothing. */
  @Query(
      nativeQuery = true,
      value =
          """
          select concat_ws(', ',
            (select 'adapters (' || count(*) || ')' from adapter a where a.namespace_id = n.id
              having count(*) > 0),
            (select 'models or datasets (' || count(distinct (o.kind, o.name)) || ')'
              from object o where o.namespace_id = n.id having count(*) > 0),
            (select 'jobs (' || count(*) || ')' from job j where j.namespace = n.name
              having count(*) > 0),
            case when exists (select from object_blob b where b.namespace_id = n.id)
              then 'uploaded files that no model or dataset names' end)
          from namespace n where n.id = :id""")
  String contents(long id);

  /** Deletes a namespace that has nothing. */
  @Modifying
  @Query(nativeQuery = true, value = "delete from namespace where id = :id")
  void deleteById(long id);
}
