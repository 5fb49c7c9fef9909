package dev.nola.registry.catalog;

import dev.nola.api.name.VersionNumber;
import java.util.List;
import java.util.Optional;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

/** Versions of an adapter. "Usable" are those that {@code latest} and ranges consider. */
interface VersionRepository extends Repository<VersionEntity, Long> {
  String USABLE =
      " v.deletedAt is null and v.yankedAt is null and v.verification <> Verification.MISMATCHED ";

  VersionEntity saveAndFlush(VersionEntity version);

  Optional<VersionEntity> findById(long id);

  /** Finds a version, also a deleted one: its number stays used. */
  Optional<VersionEntity> findByAdapterIdAndPrecedence(long adapterId, String precedence);

  /**
   * Finds a version that is not deleted by its number.
   *
   * @param adapterId row of the adapter
   * @param version its number, as it was published
   * @return the version, or empty if absent
   */
  default Optional<VersionEntity> findByNumber(long adapterId, String version) {
    return VersionNumber.find(version)
        .flatMap(number -> findByAdapterIdAndPrecedence(adapterId, number.precedence()))
        .filter(found -> found.version.equals(version) && found.deletedAt == null);
  }

  /** Returns, of versions with the same bytes, the usable one of highest precedence. */
  @Query(
      "select v from VersionEntity v where v.adapterId = :adapterId and v.digest = :digest"
          + " and v.deletedAt is null"
          + " order by case when "
          + USABLE
          + " then 0 else 1 end, v.precedence desc limit 1")
  Optional<VersionEntity> findByDigest(long adapterId, String digest);

  /** Does the same for the beginning of a digest. */
  @Query(
      "select v from VersionEntity v where v.adapterId = :adapterId"
          + " and v.digest like concat(:prefix, '%') and v.deletedAt is null"
          + " order by case when "
          + USABLE
          + " then 0 else 1 end, v.precedence desc limit 1")
  Optional<VersionEntity> findByDigestPrefix(long adapterId, String prefix);

  /** Releases before prereleases, then by precedence. */
  @Query(
      "select v from VersionEntity v where v.adapterId = :adapterId and "
          + USABLE
          + " order by v.prerelease, v.precedence desc limit 1")
  Optional<VersionEntity> findLatest(long adapterId);

  /** Returns the highest number of a release, also of a yanked or deleted one. */
  @Query(
      "select v.version from VersionEntity v where v.adapterId = :adapterId and not v.prerelease"
          + " order by v.precedence desc limit 1")
  Optional<String> highestRelease(long adapterId);

  @Query(
      "select v.version from VersionEntity v where v.adapterId = :adapterId and "
          + USABLE
          + " order by v.precedence desc")
  List<String> usable(long adapterId);

  @Query(
      "select v from VersionEntity v join AliasEntity a on a.versionId = v.id"
          + " where a.key.adapterId = :adapterId and a.key.name = :alias and v.deletedAt is null")
  Optional<VersionEntity> findByAlias(long adapterId, String alias);

  /** Lists versions below a precedence, highest first, without deleted ones. */
  @Query(
      "select v from VersionEntity v where v.adapterId = :adapterId and v.deletedAt is null"
          + " and v.precedence < :bound order by v.precedence desc limit :limit")
  List<VersionEntity> page(long adapterId, String bound, int limit);

  @Query(
      "select coalesce(sum(v.size), 0) from VersionEntity v"
          + " join AdapterEntity a on a.id = v.adapterId"
          + " where a.namespaceId = :namespaceId and v.deletedAt is null")
  long sizeOfNamespace(long namespaceId);

  /** Lists the bytes of all namespaces that have versions. */
  @Query(
      "select new dev.nola.registry.catalog.VersionRepository$NamespaceSize("
          + "a.namespaceId, sum(v.size)) from VersionEntity v"
          + " join AdapterEntity a on a.id = v.adapterId"
          + " where v.deletedAt is null group by a.namespaceId")
  List<NamespaceSize> sizesOfNamespaces();

  /** The bytes of a namespace. */
  record NamespaceSize(long namespaceId, long bytes) {}

  @Query("select coalesce(sum(v.downloads), 0) from VersionEntity v where v.adapterId = :adapterId")
  long downloads(long adapterId);

  @Query(
      "select distinct v.digest from VersionEntity v where v.deletedAt is null"
          + " and v.digest > :last order by v.digest limit :limit")
  List<String> digests(String last, int limit);

  @Query(
      "select count(v) > 0 from VersionEntity v where v.digest = :digest and v.deletedAt is null")
  boolean refersTo(String digest);
}
