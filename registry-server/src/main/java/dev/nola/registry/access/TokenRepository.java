package dev.nola.registry.access;

import jakarta.persistence.LockModeType;
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
