package dev.nola.registry.access;

import jakarta.persistence.LockModeType;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface TokenRepository extends Repository<TokenEntity, UUID> {
  TokenEntity save(TokenEntity token);

  Optional<TokenEntity> findById(UUID id);

  Optional<TokenEntity> findByHash(byte[] hash);

  List<TokenEntity> findByAccountOrderByCreatedAt(String account);

  /**
   * Lists the tokens of all accounts, oldest first.
   *
   * @param createdAt time when the last token of the page before was created
   * @param id of that token
   * @param valid whether to list only those that are valid now
   * @param limit maximum number of tokens
   */
  @Query(
      nativeQuery = true,
      value =
          """
          select * from token where (created_at, id) > (:createdAt, :id)
            and (not :valid or revoked_at is null and (expires_at is null or expires_at > now()))
          order by created_at, id limit :limit""")
  List<TokenEntity> page(Instant createdAt, UUID id, boolean valid, int limit);

  /** Finds a token and keeps it from being revoked until the transaction ends. */
  @Lock(LockModeType.PESSIMISTIC_READ)
  @Query("select t from TokenEntity t where t.id = :id")
  Optional<TokenEntity> holdById(UUID id);

  /** Makes all tokens that were minted with one independent of it. */
  @Modifying
  @Query("update TokenEntity t set t.parentId = null where t.parentId = :id")
  int releaseChildren(UUID id);

  /** Returns whether a token is another one, or was minted with it, or with one minted with it. */
  @Query(
      nativeQuery = true,
      value =
          """
          with recursive ancestor as (
            select id, parent_id from token where id = :id
            union select t.id, t.parent_id from token t join ancestor a on t.id = a.parent_id)
          select exists (select 1 from ancestor where id = :ancestorId)""")
  boolean isMintedWith(UUID id, @Nullable UUID ancestorId);

  long count();
}
