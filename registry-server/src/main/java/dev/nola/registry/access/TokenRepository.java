package dev.nola.registry.access;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.data.repository.Repository;

interface TokenRepository extends Repository<TokenEntity, UUID> {
  TokenEntity save(TokenEntity token);

  Optional<TokenEntity> findById(UUID id);

  Optional<TokenEntity> findByHash(byte[] hash);

  List<TokenEntity> findByAccountOrderByCreatedAt(String account);

  boolean existsByAccount(String account);

  long count();
}
