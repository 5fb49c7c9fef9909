package dev.nola.registry.access;

import dev.nola.api.Scope;
import dev.nola.api.Token;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

@Entity
@Table(name = "token")
class TokenEntity {
  @Id UUID id = new UUID(0, 0);
  String account = "";
  String description = "";
  byte[] hash = {};
  String[] scopes = {};
  String @Nullable [] namespaces;
  Instant createdAt = Instant.EPOCH;
  @Nullable Instant expiresAt;
  @Nullable Instant revokedAt;
  @Nullable Instant lastUsedAt;
  @Nullable UUID parentId;

  boolean isValid(Instant now) {
    return revokedAt == null && (expiresAt == null || now.isBefore(expiresAt));
  }

  Caller caller() {
    return new Caller(id, account, scopes(), namespaces == null ? null : Set.of(namespaces));
  }

  Token toApi() {
    return new Token(
        id.toString(),
        account,
        description,
        List.copyOf(scopes()),
        namespaces == null ? null : List.of(namespaces),
        createdAt,
        expiresAt,
        revokedAt,
        lastUsedAt,
        parentId == null ? null : parentId.toString());
  }

  private Set<Scope> scopes() {
    Set<Scope> set = new TreeSet<>();
    Arrays.stream(scopes).map(Scope::valueOf).forEach(set::add);
    return set;
  }
}
