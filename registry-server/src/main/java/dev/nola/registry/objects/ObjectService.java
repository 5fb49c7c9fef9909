package dev.nola.registry.objects;

import dev.nola.api.Page;
import dev.nola.api.Violation;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.ObjectKind;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Registers and reads the revisions of models and datasets, if the caller may. */
@Service
class ObjectService {
  private static final String LIST = "objects";
  private static final int MAX_NAMED = 10;

  private final ObjectRepository objects;
  private final Access access;
  private final AuditLog audit;
  private final ObjectSettings settings;

  ObjectService(ObjectRepository objects, Access access, AuditLog audit, ObjectSettings settings) {
    this.objects = objects;
    this.access = access;
    this.audit = audit;
    this.settings = settings;
  }

  /**
   * A registered revision.
   *
   * @param details as the API shows them
   * @param created whether it is new
   */
  record Registered(ObjectDetails details, boolean created) {}

  /**
   * Registers a revision, unless it is there already.
   *
   * @param caller of the request
   * @param name of the object
   * @param manifest files of the revision
   * @return the revision
   * @throws Refusal if the caller may not, the name or manifest breaks a rule, or a file of a
   *     dataset was not uploaded
   */
  @Transactional
  Registered put(Caller caller, ObjectName name, ObjectManifest manifest) {
    long namespaceId = requireMember(caller, name);
    ManifestRules.require(manifest, settings.maxFiles());
    List<ObjectManifest.Entry> files = manifest.sorted();
    Set<Sha256> uploaded = objects.uploadedDigests(namespaceId, files);
    List<ObjectManifest.Entry> missing =
        files.stream().filter(file -> !uploaded.contains(file.digest())).toList();
    if (name.kind() == ObjectKind.DATASET && !missing.isEmpty()) {
      throw missing(missing);
    }
    boolean created = objects.add(namespaceId, name, manifest, missing.isEmpty(), caller.account());
    String revision = manifest.digest().toString();
    ObjectDetails details = objects.revision(name, revision).orElseThrow().details();
    if (created) {
      audit.add(
          caller.account(), caller.tokenId(), name.kind().label() + ".put", name.path(), revision);
    }
    return new Registered(details, created);
  }

  /**
   * Requires that the caller may add to an object.
   *
   * @param caller of the request
   * @param name of the object; need not exist
   * @return row of the namespace
   * @throws Refusal with status 404 if the caller is not a member of the namespace, 422 if the name
   *     breaks a rule
   */
  long requireMember(Caller caller, ObjectName name) {
    long namespaceId =
        access
            .idOf(name.namespace())
            .filter(_ -> access.role(caller, name.namespace()).isPresent())
            .orElseThrow(() -> Refusal.notFound(name.toString()));
    if (!NameRule.NAME.isMet(name.name())) {
      throw Refusal.invalid("name", NameRule.NAME.message(name.name()));
    }
    return namespaceId;
  }

  /**
   * Lists a namespace's objects of a kind by name, each in its latest revision.
   *
   * @param caller of the request
   * @param kind of the objects
   * @param namespace of the objects
   * @param limit maximum number of objects
   * @param cursor of the page before; null for the first page
   * @return a page; empty if the caller does not see what is private in the namespace
   * @throws Refusal if the namespace, the limit or the cursor is invalid
   */
  ResponseEntity<Page<ObjectDetails>> list(
      Caller caller, ObjectKind kind, String namespace, int limit, @Nullable String cursor) {
    if (!NameRule.NAMESPACE.isMet(namespace)) {
      throw Refusal.invalid("namespace", NameRule.NAMESPACE.message(namespace));
    }
    String lastName = cursor == null ? "" : Cursor.parse(cursor, LIST, 1).key().getFirst();
    int rows = Pages.fetch(limit);
    return Pages.of(
        access.seesPrivate(caller, namespace)
            ? objects.page(kind, namespace, lastName, rows)
            : List.of(),
        limit,
        last -> new Cursor(LIST, List.of(last.details().name())),
        ObjectRepository.Stored::details);
  }

  /**
   * Reads the latest revision of an object.
   *
   * @param caller of the request
   * @param name of the object
   * @return the revision
   * @throws Refusal with status 404 if it does not exist or the caller may not see it
   */
  ObjectDetails latest(Caller caller, ObjectName name) {
    requireSeen(caller, name);
    return found(objects.latest(name), name);
  }

  /**
   * Reads a revision of an object.
   *
   * @param caller of the request
   * @param name of the object
   * @param revision its digest, {@code sha256:…}
   * @return the revision
   * @throws Refusal with status 404 if it does not exist or the caller may not see it
   */
  ObjectDetails revision(Caller caller, ObjectName name, String revision) {
    requireSeen(caller, name);
    return found(objects.revision(name, revision), name);
  }

  /**
   * Requires that the caller may see an object.
   *
   * @param caller of the request
   * @param name of the object; need not exist
   * @throws Refusal with status 404 if it may not
   */
  void requireSeen(Caller caller, ObjectName name) {
    if (!access.seesPrivate(caller, name.namespace())) {
      throw Refusal.notFound(name.toString());
    }
  }

  private static ObjectDetails found(Optional<ObjectRepository.Stored> object, ObjectName name) {
    return object.orElseThrow(() -> Refusal.notFound(name.toString())).details();
  }

  private static Refusal missing(List<ObjectManifest.Entry> missing) {
    List<Violation> violations =
        missing.stream()
            .limit(MAX_NAMED)
            .map(
                file ->
                    new Violation(
                        "files",
                        "file not uploaded: %s with digest %s and %d bytes"
                            .formatted(file.path(), file.digest(), file.size())))
            .toList();
    return Refusal.invalid(violations);
  }
}
