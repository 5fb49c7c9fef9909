package dev.nola.registry.objects;

import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.ObjectKind;
import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.BlobUser;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Reads and writes models and datasets. A revision never changes; the latest one is the default.
 */
@Component
public class ObjectRepository implements BlobUser {
  private static final String SELECT =
      """
      select o.id, o.name, o.revision, o.description, o.stored, o.created_by, o.created_at,
        n.name as namespace
      from object o join namespace n on n.id = o.namespace_id
      """;

  private final JdbcClient database;
  private final JdbcTemplate batches;
  private final Clock clock;

  ObjectRepository(JdbcClient database, JdbcTemplate batches, Clock clock) {
    this.database = database;
    this.batches = batches;
    this.clock = clock;
  }

  /**
   * A revision and its row.
   *
   * @param id by which jobs refer to the revision
   * @param details as the API shows them
   */
  public record Stored(long id, ObjectDetails details) {
    /**
     * Returns the reference that pins the revision.
     *
     * @return {@code namespace/name@sha256:…}
     */
    public String reference() {
      return details.namespace() + "/" + details.name() + "@" + details.revision();
    }
  }

  private record Row(long id, Function<List<ObjectManifest.Entry>, ObjectDetails> details) {}

  /**
   * Finds the latest revision of an object.
   *
   * @param name of the object
   * @return the revision, or empty if absent
   */
  public Optional<Stored> latest(ObjectName name) {
    return complete(
            database
                .sql(
                    SELECT
                        + "where o.kind = ? and n.name = ? and o.name = ? order by o.id desc limit 1")
                .params(column(name.kind()), name.namespace(), name.name())
                .query(ObjectRepository::row)
                .list())
        .stream()
        .findFirst();
  }

  /**
   * Finds a revision of an object.
   *
   * @param name of the object
   * @param revision its digest, {@code sha256:…}
   * @return the revision, or empty if absent
   */
  public Optional<Stored> revision(ObjectName name, String revision) {
    return complete(
            database
                .sql(SELECT + "where o.kind = ? and n.name = ? and o.name = ? and o.revision = ?")
                .params(column(name.kind()), name.namespace(), name.name(), revision)
                .query(ObjectRepository::row)
                .list())
        .stream()
        .findFirst();
  }

  /**
   * Finds revisions.
   *
   * @param ids of their rows
   * @return the revisions that exist, by id
   */
  public Map<Long, ObjectDetails> byId(Collection<Long> ids) {
    if (ids.isEmpty()) {
      return Map.of();
    }
    return complete(
            database
                .sql(SELECT + "where o.id = any(?)")
                .param(ids.toArray(Long[]::new))
                .query(ObjectRepository::row)
                .list())
        .stream()
        .collect(Collectors.toMap(Stored::id, Stored::details));
  }

  /**
   * Finds the names of models.
   *
   * @param revisions of models, {@code sha256:…}; may be any text
   * @return the models that are registered with such a revision, by revision
   */
  public Map<String, List<ObjectName>> modelNames(Collection<String> revisions) {
    if (revisions.isEmpty()) {
      return Map.of();
    }
    return database
        .sql(
            """
            select o.revision, n.name as namespace, o.name
            from object o join namespace n on n.id = o.namespace_id
            where o.kind = 'MODELS' and o.revision = any(?) order by n.name, o.name""")
        .param(revisions.toArray(String[]::new))
        .query(
            (row, _) ->
                Map.entry(
                    row.getString("revision"),
                    new ObjectName(
                        ObjectKind.MODEL, row.getString("namespace"), row.getString("name"))))
        .list()
        .stream()
        .collect(
            Collectors.groupingBy(
                Map.Entry::getKey, Collectors.mapping(Map.Entry::getValue, Collectors.toList())));
  }

  /** Lists the latest revisions of a namespace's objects of a kind, by name. */
  List<Stored> page(ObjectKind kind, String namespace, String lastName, int limit) {
    return complete(
        database
            .sql(
                SELECT
                    + """
                    where o.kind = ? and n.name = ? and o.name > ? and not exists (
                      select from object l where l.kind = o.kind
                        and l.namespace_id = o.namespace_id and l.name = o.name and l.id > o.id)
                    order by o.name limit ?""")
            .params(column(kind), namespace, lastName, limit)
            .query(ObjectRepository::row)
            .list());
  }

  /**
   * Returns those files of a manifest whose bytes the namespace has uploaded. Renews their age, as
   * part of the caller's transaction: so they are not forgotten before the manifest is there.
   */
  Set<Sha256> uploadedDigests(long namespaceId, List<ObjectManifest.Entry> files) {
    Map<String, Long> sizes = new HashMap<>();
    database
        .sql(
            """
            with locked as (
              select namespace_id, digest from object_blob
              where namespace_id = ? and digest = any(?) order by digest for update)
            update object_blob b set uploaded_at = ? from locked
            where b.namespace_id = locked.namespace_id and b.digest = locked.digest
            returning b.digest, b.size""")
        .params(
            namespaceId,
            files.stream().map(file -> file.digest().toString()).distinct().toArray(String[]::new),
            now())
        .query(
            row -> {
              sizes.put(row.getString("digest"), row.getLong("size"));
            });
    Set<Sha256> uploaded = new HashSet<>();
    for (ObjectManifest.Entry file : files) {
      Long size = sizes.get(file.digest().toString());
      if (size != null && size == file.size()) {
        uploaded.add(file.digest());
      }
    }
    return uploaded;
  }

  /**
   * Records a revision, as part of the caller's transaction.
   *
   * @param namespaceId row of the namespace
   * @param name of the object
   * @param manifest files of the revision
   * @param stored whether all files are in the store
   * @param account that adds it
   * @return whether the revision is new
   */
  boolean add(
      long namespaceId, ObjectName name, ObjectManifest manifest, boolean stored, String account) {
    String revision = manifest.digest().toString();
    String description = manifest.description() == null ? "" : manifest.description();
    Optional<Long> id =
        database
            .sql(
                """
                insert into object
                  (kind, namespace_id, name, revision, description, stored, created_by, created_at)
                values (?, ?, ?, ?, ?, ?, ?, ?)
                on conflict do nothing returning id""")
            .params(
                column(name.kind()),
                namespaceId,
                name.name(),
                revision,
                description,
                stored,
                account,
                now())
            .query(Long.class)
            .optional();
    if (id.isEmpty()) {
      // Its files may have been uploaded since.
      database
          .sql(
              """
              update object set stored = stored or ?
              where kind = ? and namespace_id = ? and name = ? and revision = ?""")
          .params(stored, column(name.kind()), namespaceId, name.name(), revision)
          .update();
      return false;
    }
    batches.batchUpdate(
        "insert into object_file (object_id, path, size, digest) values (?, ?, ?, ?)",
        manifest.sorted().stream()
            .map(
                file -> new Object[] {id.get(), file.path(), file.size(), file.digest().toString()})
            .toList());
    return true;
  }

  /** Records that a namespace has uploaded bytes; returns whether it is the first time. */
  boolean addBlob(long namespaceId, Sha256 digest, long size) {
    return database
        .sql(
            """
            insert into object_blob (namespace_id, digest, size, uploaded_at) values (?, ?, ?, ?)
            on conflict (namespace_id, digest) do update set uploaded_at = excluded.uploaded_at
            returning xmax = 0""")
        .params(namespaceId, digest.toString(), size, now())
        .query(Boolean.class)
        .single();
  }

  /** Returns the size of bytes that a namespace has uploaded. */
  Optional<Long> sizeOf(long namespaceId, Sha256 digest) {
    return database
        .sql("select size from object_blob where namespace_id = ? and digest = ?")
        .params(namespaceId, digest.toString())
        .query(Long.class)
        .optional();
  }

  /**
   * Forgets bytes that were uploaded before a time and that no manifest of their namespace names.
   */
  @Override
  public void forgetUnused(Instant cutoff) {
    database
        .sql(
            """
            delete from object_blob where (namespace_id, digest) in (
              select b.namespace_id, b.digest from object_blob b
              where b.uploaded_at < ? and not exists (
                select from object_file f join object o on o.id = f.object_id
                where f.digest = b.digest and o.namespace_id = b.namespace_id)
              for update of b skip locked)""")
        .param(Timestamp.from(cutoff))
        .update();
  }

  @Override
  public boolean refersTo(Sha256 digest) {
    return database
        .sql("select exists (select from object_blob where digest = ?)")
        .param(digest.toString())
        .query(Boolean.class)
        .single();
  }

  @Override
  public List<Sha256> references(String last, int limit) {
    return database
        .sql("select distinct digest from object_blob where digest > ? order by digest limit ?")
        .params(last, limit)
        .query((row, _) -> Sha256.parse(row.getString(1)))
        .list();
  }

  @Override
  public long sizeOfNamespace(long namespaceId) {
    return database
        .sql("select coalesce(sum(size), 0) from object_blob where namespace_id = ?")
        .param(namespaceId)
        .query(Long.class)
        .single();
  }

  @Override
  public Map<Long, Long> sizesOfNamespaces() {
    return database
        .sql("select namespace_id, sum(size)::bigint as size from object_blob group by 1")
        .query((row, _) -> Map.entry(row.getLong("namespace_id"), row.getLong("size")))
        .list()
        .stream()
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private Timestamp now() {
    return Timestamp.from(clock.instant());
  }

  private List<Stored> complete(List<Row> rows) {
    if (rows.isEmpty()) {
      return List.of();
    }
    Map<Long, List<ObjectManifest.Entry>> files =
        database
            .sql(
                """
                select object_id, path, size, digest from object_file
                where object_id = any(?) order by object_id, path""")
            .param(rows.stream().map(Row::id).toArray(Long[]::new))
            .query(
                (row, _) ->
                    Map.entry(
                        row.getLong("object_id"),
                        new ObjectManifest.Entry(
                            row.getString("path"),
                            row.getLong("size"),
                            Sha256.parse(row.getString("digest")))))
            .list()
            .stream()
            .collect(
                Collectors.groupingBy(
                    Map.Entry::getKey,
                    Collectors.mapping(Map.Entry::getValue, Collectors.toList())));
    return rows.stream()
        .map(
            row ->
                new Stored(row.id(), row.details().apply(files.getOrDefault(row.id(), List.of()))))
        .toList();
  }

  /** Returns the word in the database, such as {@code MODELS}. */
  private static String column(ObjectKind kind) {
    return kind.collection().toUpperCase(Locale.ROOT);
  }

  private static Row row(ResultSet row, int number) throws SQLException {
    String namespace = row.getString("namespace");
    String name = row.getString("name");
    Sha256 revision = Sha256.parse(row.getString("revision"));
    String description = row.getString("description");
    boolean stored = row.getBoolean("stored");
    String createdBy = row.getString("created_by");
    Instant createdAt = row.getTimestamp("created_at").toInstant();
    return new Row(
        row.getLong("id"),
        files ->
            new ObjectDetails(
                namespace, name, revision, description, files, stored, createdBy, createdAt));
  }
}
