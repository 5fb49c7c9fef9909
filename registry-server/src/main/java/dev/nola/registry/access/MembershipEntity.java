package dev.nola.registry.access;

import dev.nola.api.Role;
import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Table;

@Entity
@Table(name = "membership")
class MembershipEntity {
  @Embeddable
  record Key(long namespaceId, String account) {}

  @EmbeddedId Key key = new Key(0, "");

  @Enumerated(EnumType.STRING)
  Role role = Role.MEMBER;

  static MembershipEntity of(long namespaceId, String account, Role role) {
    MembershipEntity membership = new MembershipEntity();
    membership.key = new Key(namespaceId, account);
    membership.role = role;
    return membership;
  }
}
