package dev.nola.registry.catalog;

import dev.nola.api.Visibility;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

@Entity
@Table(name = "adapter")
class AdapterEntity {
  @Id
  @GeneratedValue(strategy = GenerationType.IDENTITY)
  @Nullable Long id;

  long namespaceId;
  String name = "";
  String description = "";

  @Column(name = "private")
  boolean isPrivate;

  Instant createdAt = Instant.EPOCH;

  long id() {
    return Objects.requireNonNull(id, "adapter is not stored yet");
  }

  Visibility visibility() {
    return isPrivate ? Visibility.PRIVATE : Visibility.PUBLIC;
  }
}
