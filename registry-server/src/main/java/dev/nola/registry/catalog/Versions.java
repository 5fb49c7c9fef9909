package dev.nola.registry.catalog;

import dev.nola.api.Attestations;
import dev.nola.api.Verification;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobReferences;
import dev.nola.registry.web.Refusal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Finds, locks and marks the versions of the catalog for their verification. */
@Component
public class Versions {
  private static final String SELECT =
      """
      select v.id, v.adapter_id, n.name as namespace, a.name, v.version, v.digest, v.self_verified,
        v.verification, v.disputed
      from version v
      join adapter a on a.id = v.adapter_id
      join namespace n on n.id = a.namespace_id
      where v.deleted_at is null and\s""";

  private final JdbcClient database;
  private final ReferenceResolver resolver;
  private final BlobReferences references;
  private final ListingUpdater listings;
  private final ApplicationEventPublisher events;
  private final Clock clock;

  Versions(
      JdbcClient database,
      ReferenceResolver resolver,
      BlobReferences references,
      ListingUpdater listings,
      ApplicationEventPublisher events,
      Clock clock) {
    this.database = database;
    this.resolver = resolver;
    this.references = references;
    this.listings = listings;
    this.events = events;
    this.clock = clock;
  }

  /**
   * A version that is not deleted; its components are columns of one row.
   *
   * @param id row of the version
   * @param adapterId row of the adapter
   * @param adapter of the version
   * @param version its number
   * @param digest {@code sha256:…} of its file
   * @param selfVerified whether the registry reconstructed it
   * @param verification its status
   * @param disputed whether a worker contradicts that, unconfirmed
   */
  public record Version(
      long id,
      long adapterId,
      AdapterName adapter,
      String version,
      String digest,
      boolean selfVerified,
      Verification verification,
      boolean disputed) {
    @Override
    public String toString() {
      return adapter + "@" + version;
    }
  }

  /**
   * Selects versions; null accepts any.
   *
   * @param namespace of the adapter
   * @param base name of the base model
   * @param generator such as {@code philox-srht}
   * @param adapter {@code namespace/name}
   * @param version number of a version of that adapter
   */
  public record Filter(
      @Nullable String namespace,
      @Nullable String base,
      @Nullable String generator,
      @Nullable String adapter,
      @Nullable String version) {
    /**
     * Requires that versions which meet the conditions can exist.
     *
     * @throws Refusal with status 422 if the namespace, the generator, the adapter or the version
     *     breaks a rule
     */
    public void requireLegal() {
      new FilterRules()
          .namespace(namespace)
          .generator(generator)
          .adapter(adapter)
          .version(adapter, version)
          .require();
    }
  }

  /**
   * Returns the digest of the file of a version that the caller may see.
   *
   * @param caller of the request
   * @param adapter of the version
   * @param reference a version number, alias, range, digest or {@code latest}
   * @return {@code sha256:…}
   * @throws Refusal with status 404 if it does not exist or the caller may not see it
   */
  public String digestOf(Caller caller, AdapterName adapter, String reference) {
    return resolver.find(caller, adapter, reference).digest().toString();
  }

  /**
   * Lists versions in the order of their ids.
   *
   * @param filter selects them
   * @param lastId id that theirs must exceed
   * @param limit maximum number of versions
   * @return the versions
   */
  public List<Version> find(Filter filter, long lastId, int limit) {
    StringBuilder where = new StringBuilder("v.id > :lastId");
    Map<String, Object> values = new HashMap<>();
    values.put("lastId", lastId);
    values.put("limit", limit);
    equal(where, values, "n.name", "namespace", filter.namespace());
    equal(where, values, "v.base", "base", filter.base());
    String adapter = filter.adapter();
    if (adapter != null) {
      int slash = adapter.indexOf('/');
      equal(where, values, "n.name", "adapterNamespace", adapter.substring(0, slash));
      equal(where, values, "a.name", "adapter", adapter.substring(slash + 1));
    }
    equal(where, values, "v.version", "version", filter.version());
    equal(where, values, "v.generator", "generator", filter.generator());
    return database
        .sql(SELECT + where + " order by v.id limit :limit")
        .params(values)
        .query((row, _) -> version(row))
        .list();
  }

  private static void equal(
      StringBuilder where,
      Map<String, Object> values,
      String column,
      String name,
      @Nullable String value) {
    if (value != null) {
      where.append(" and ").append(column).append(" = :").append(name);
      values.put(name, value);
    }
  }

  /**
   * Lists all versions that have one of some files, in the order of their ids.
   *
   * @param digests {@code sha256:…} of the files
   * @return the versions
   */
  public List<Version> withDigest(Collection<String> digests) {
    return database
        .sql(SELECT + "v.digest = any(?) order by v.id")
        .params((Object) digests.toArray(String[]::new))
        .query((row, _) -> version(row))
        .list();
  }

  /**
   * Lists the files of the versions that are mismatched.
   *
   * @return {@code sha256:…} of each
   */
  public List<String> mismatchedDigests() {
    return database
        .sql(
            "select distinct digest from version"
                + " where verification = 'MISMATCHED' and deleted_at is null")
        .query(String.class)
        .list();
  }

  /**
   * Counts the versions that a worker contradicts, unconfirmed.
   *
   * @return the number of versions
   */
  public long countDisputed() {
    return database
        .sql("select count(*) from version where disputed and deleted_at is null")
        .query(Long.class)
        .single();
  }

  /**
   * Locks some files with their attestations, and the adapters that have them, until the
   * transaction ends. To be called before attestations change.
   *
   * @param digests {@code sha256:…} of the files
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public void lock(Collection<String> digests) {
    // In this order, which is also a publication's: files, then all adapters that have one, by id.
    references.lock(digests);
    lockAdapters(
        database,
        database
            .sql(
                "select distinct adapter_id from version"
                    + " where digest = any(?) and deleted_at is null")
            .params((Object) digests.toArray(String[]::new))
            .query(Long.class)
            .list());
  }

  /**
   * Locks adapters with their versions and listings until the transaction ends. To be called before
   * rows of several adapters change, so that transactions do not wait for each other in a circle.
   * References to an adapter need no lock.
   */
  static void lockAdapters(JdbcClient database, Collection<Long> ids) {
    database
        .sql("select id from adapter where id = any(?) order by id for no key update")
        .params((Object) ids.toArray(Long[]::new))
        .query(Long.class)
        .list();
  }

  /**
   * The attestations of a file that count.
   *
   * @param attested their numbers; {@code self} is not looked at
   * @param confirmedMismatches number of independent machines that got the same other bits
   */
  public record Evidence(Attestations attested, int confirmedMismatches) {}

  /**
   * A version whose status changed.
   *
   * @param version as it was
   * @param now its new verification status
   * @param disputed whether a worker contradicts that, unconfirmed
   */
  public record Change(Version version, Verification now, boolean disputed) {
    /** Returns whether the version was not disputed before, and is now. */
    public boolean beginsDispute() {
      return disputed && !version.disputed();
    }

    /** Returns whether references may mean another version now. */
    private boolean changesLatest() {
      return (now == Verification.MISMATCHED)
          != (version.verification() == Verification.MISMATCHED);
    }
  }

  /**
   * Records the attestations of files, and the status of their versions that follows. Their digests
   * are locked.
   *
   * @param evidence by digest
   * @return versions that this makes something else
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public List<Change> attest(Map<String, Evidence> evidence) {
    List<Change> changes = new ArrayList<>();
    List<Version> all = withDigest(evidence.keySet());
    List<Attestations> found = new ArrayList<>();
    List<Verification> states = new ArrayList<>();
    List<Boolean> disputes = new ArrayList<>();
    for (Version version : all) {
      Evidence evidenceOfFile = Objects.requireNonNull(evidence.get(version.digest()));
      Verification now = verification(evidenceOfFile, version.selfVerified());
      boolean disputed =
          evidenceOfFile.attested().mismatches() > 0 && now != Verification.MISMATCHED;
      if (now != version.verification() || disputed != version.disputed()) {
        changes.add(new Change(version, now, disputed));
      }
      found.add(evidenceOfFile.attested());
      states.add(now);
      disputes.add(disputed);
    }
    database
        .sql(
            """
            update version v set attested_independent = made.independent,
              attested_backends = string_to_array(made.backends, ','),
              attested_mismatches = made.mismatches,
              verified_at = case when made.verification = v.verification then v.verified_at
                when made.verification <> 'UNVERIFIED' then ?::timestamptz end,
              verification = made.verification, disputed = made.disputed
            from unnest(?::bigint[], ?::int[], ?::text[], ?::int[], ?::text[], ?::boolean[])
              as made (id, independent, backends, mismatches, verification, disputed)
            where v.id = made.id""")
        .params(
            Timestamp.from(clock.instant()),
            all.stream().map(Version::id).toArray(Long[]::new),
            found.stream().map(Attestations::independent).toArray(Integer[]::new),
            found.stream().map(one -> String.join(",", one.backends())).toArray(String[]::new),
            found.stream().map(Attestations::mismatches).toArray(Integer[]::new),
            states.stream().map(Verification::name).toArray(String[]::new),
            disputes.toArray(Boolean[]::new))
        .update();
    list(changes);
    all.stream()
        .map(Version::adapter)
        .distinct()
        .forEach(name -> events.publishEvent(new AdapterAccess.Changed(name)));
    if (!changes.isEmpty()) {
      events.publishEvent(new VersionStatusChanged(List.copyOf(changes)));
    }
    return changes;
  }

  private void list(List<Change> changes) {
    SortedMap<Long, AdapterName> renewed = new TreeMap<>();
    List<Version> verified = new ArrayList<>();
    List<Version> unverified = new ArrayList<>();
    for (Change change : changes) {
      Version version = change.version();
      if (change.changesLatest()) {
        renewed.put(version.adapterId(), version.adapter());
      } else {
        (change.now() == Verification.VERIFIED ? verified : unverified).add(version);
      }
    }
    mark(verified, true);
    mark(unverified, false);
    renewed.keySet().forEach(listings::renew);
  }

  private void mark(List<Version> versions, boolean verified) {
    if (!versions.isEmpty()) {
      database
          .sql(
              "update listing set verified = ?"
                  + " where adapter_id = any(?) and version_id = any(?)")
          .params(
              verified,
              versions.stream().map(Version::adapterId).toArray(Long[]::new),
              versions.stream().map(Version::id).toArray(Long[]::new))
          .update();
    }
  }

  /**
   * Returns the status that follows. A mismatch cannot be checked: so it demotes nothing that the
   * registry reconstructed, and no other file before independent machines confirm it, more of them
   * than attest a match.
   */
  private static Verification verification(Evidence evidence, boolean self) {
    int matching = evidence.attested().independent();
    if (!self && evidence.confirmedMismatches() > matching) {
      return Verification.MISMATCHED;
    }
    if (matching > 0) {
      return Verification.VERIFIED;
    }
    return self ? Verification.SELF_VERIFIED : Verification.UNVERIFIED;
  }

  private static Version version(ResultSet row) throws SQLException {
    return new Version(
        row.getLong("id"),
        row.getLong("adapter_id"),
        new AdapterName(row.getString("namespace"), row.getString("name")),
        row.getString("version"),
        row.getString("digest"),
        row.getBoolean("self_verified"),
        Verification.valueOf(row.getString("verification")),
        row.getBoolean("disputed"));
  }
}
