package dev.nola.registry.catalog;

import dev.nola.api.Attestations;
import dev.nola.api.Comparison;
import dev.nola.api.Contents;
import dev.nola.api.Verification;
import dev.nola.api.VersionSummary;
import dev.nola.api.Yank;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.generator.Side;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

@Entity
@Table(name = "version")
class VersionEntity {
  @Id
  @GeneratedValue(strategy = GenerationType.IDENTITY)
  @Nullable Long id;

  long adapterId;
  String version = "";
  String precedence = "";
  boolean prerelease;
  String digest = "";
  long size;
  String base = "";
  String generator = "";
  int rank;
  int bits;
  long coefficients;
  @Nullable Long loraBytes;
  long tensorBytes;
  String description = "";
  String task = "";
  String license = "";
  String[] tags = {};

  // Columns that are not updatable here are changed by SQL, and must keep those changes.

  @Column(updatable = false)
  @Enumerated(EnumType.STRING)
  Verification verification = Verification.UNVERIFIED;

  @Column(updatable = false)
  @Nullable Instant verifiedAt;

  @Column(updatable = false)
  boolean selfVerified;

  @Column(insertable = false, updatable = false)
  boolean disputed;

  @Column(insertable = false, updatable = false)
  int attestedIndependent;

  @Column(insertable = false, updatable = false)
  String[] attestedBackends = {};

  @Column(insertable = false, updatable = false)
  int attestedMismatches;

  String publishedBy = "";
  Instant publishedAt = Instant.EPOCH;
  @Nullable Instant yankedAt;
  @Nullable String yankedBy;
  @Nullable String yankReason;
  @Nullable Instant deletedAt;

  @Column(updatable = false)
  long downloads;

  long id() {
    return Objects.requireNonNull(id, "version is not stored yet");
  }

  Sha256 digest() {
    return Sha256.parse(digest);
  }

  @Nullable Yank yank() {
    return yankedAt == null
        ? null
        : new Yank(Objects.requireNonNull(yankReason), Objects.requireNonNull(yankedBy), yankedAt);
  }

  /** Sets what the file says, after its size. */
  void describe(Adapter adapter, Contents file) {
    base = adapter.base().name();
    generator = adapter.generator().label();
    for (Layer layer : adapter.layers()) {
      if (layer.coefficients() instanceof LowRank lowRank) {
        rank = Math.max(rank, lowRank.rank());
      }
      for (Side side : Side.values()) {
        Codes codes = layer.codes(side);
        if (codes != null) {
          bits = Math.max(bits, codes.bits());
          coefficients += codes.count();
        }
      }
    }
    description = adapter.metadata().description();
    task = adapter.metadata().task();
    license = adapter.metadata().license();
    tags = adapter.metadata().tags().toArray(String[]::new);
    Comparison comparison = Comparison.of(file, size);
    loraBytes = comparison.loraBytes();
    tensorBytes = comparison.tensorBytes();
  }

  Attestations attestations() {
    return new Attestations(
        attestedIndependent, List.of(attestedBackends), attestedMismatches, selfVerified);
  }

  VersionSummary summary() {
    return new VersionSummary(
        version,
        digest(),
        size,
        verification,
        disputed,
        yank(),
        downloads,
        publishedBy,
        publishedAt);
  }
}
