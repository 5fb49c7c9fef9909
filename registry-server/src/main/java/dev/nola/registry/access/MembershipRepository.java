package dev.nola.registry.access;

import dev.nola.api.Role;
import java.util.List;
import java.util.Optional;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

interface MembershipRepository extends Repository<MembershipEntity, MembershipEntity.Key> {
  MembershipEntity save(MembershipEntity membership);

  void delete(MembershipEntity membership);

  @Query(
      "select count(m) from MembershipEntity m where m.key.account = :account and m.role = OWNER")
  long countOwned(String account);

  /** Tells whether an account has, or had, a token, or is a member of a namespace. */
  @Query(
      nativeQuery = true,
      value =
          """
          select exists (select from token t where t.account = :account)
            or exists (select from membership m where m.account = :account)""")
  boolean isKnown(String account);

  Optional<MembershipEntity> findById(MembershipEntity.Key key);

  @Query("select m from MembershipEntity m where m.key.namespaceId = :id order by m.key.account")
  List<MembershipEntity> ofNamespace(long id);

  @Query(
      """
      select m.role from MembershipEntity m join NamespaceEntity n on n.id = m.key.namespaceId
      where n.name = :namespace and m.key.account = :account""")
  Optional<Role> role(String namespace, String account);

  @Query(
      """
      select n.name from MembershipEntity m join NamespaceEntity n on n.id = m.key.namespaceId
      where m.key.account = :account""")
  List<String> namespacesOf(String account);

  /** Removes all members of a namespace. */
  @Modifying
  @Query("delete from MembershipEntity m where m.key.namespaceId = :id")
  void deleteOfNamespace(long id);
}
