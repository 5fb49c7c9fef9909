package dev.nola.client.registry;

import dev.nola.api.Member;
import dev.nola.api.MemberRequest;
import dev.nola.api.Namespace;
import dev.nola.api.Page;
import dev.nola.api.Role;
import dev.nola.api.name.NameRule;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.Transport;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;

/**
 * Creates and deletes namespaces, which hold adapters, models and datasets, and manages members.
 */
public final class NamespacesClient {
  private static final String NAMESPACES = "/api/v1/namespaces";

  private final Transport transport;

  NamespacesClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Creates a namespace that the caller's account owns, unless the account owns it already.
   *
   * @param namespace the namespace's name
   * @return the namespace
   * @throws IllegalArgumentException if the name breaks its rule
   * @throws RegistryException of kind {@code CONFLICT} if it belongs to another account; of another
   *     kind if the registry refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Namespace create(String namespace) throws IOException, InterruptedException {
    return transport.json(Call.of("PUT", path(namespace)), new TypeReference<>() {});
  }

  /**
   * Lists namespaces by name, up to 100 at once: those that the account is a member of; for an
   * admin all.
   *
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of namespaces
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<Namespace> list(@Nullable String cursor) throws IOException, InterruptedException {
    Query query = new Query().page(cursor);
    return transport.json(Call.get(NAMESPACES + query), new TypeReference<>() {});
  }

  /**
   * Reads a namespace.
   *
   * @param namespace the namespace's name
   * @return the namespace, with the account's role in it
   * @throws IllegalArgumentException if the name breaks its rule
   * @throws RegistryException of kind {@code NOT_FOUND} if the name is unknown
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Namespace get(String namespace) throws IOException, InterruptedException {
    return transport.json(Call.get(path(namespace)), new TypeReference<>() {});
  }

  /**
   * Deletes a namespace that never had an adapter, a model, a dataset or a job.
   *
   * @param namespace the namespace's name
   * @throws IllegalArgumentException if the name breaks its rule
   * @throws RegistryException of kind {@code CONFLICT} if it is not empty, {@code NOT_ALLOWED} if
   *     the account does not own it
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void delete(String namespace) throws IOException, InterruptedException {
    transport.status(Call.of("DELETE", path(namespace)).once());
  }

  /**
   * Lists the members of a namespace.
   *
   * @param namespace the namespace's name
   * @return the members, by account
   * @throws IllegalArgumentException if the name breaks its rule
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account is not a member
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public List<Member> members(String namespace) throws IOException, InterruptedException {
    return transport.json(Call.get(path(namespace) + "/members"), new TypeReference<>() {});
  }

  /**
   * Makes an account a member, or changes its role.
   *
   * @param namespace the namespace's name
   * @param account the account
   * @param role the role that it gets
   * @return the member
   * @throws IllegalArgumentException if a name breaks its rule
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the account does not own the
   *     namespace; of another kind if the registry refuses otherwise or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Member putMember(String namespace, String account, Role role)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("PUT", member(namespace, account)).with(Content.json(new MemberRequest(role))),
        new TypeReference<>() {});
  }

  /**
   * Removes a member.
   *
   * @param namespace the namespace's name
   * @param account the account of the member
   * @throws IllegalArgumentException if a name breaks its rule
   * @throws RegistryException of kind {@code NOT_FOUND} if the account is not a member, {@code
   *     CONFLICT} if it is the only owner; of another kind if the registry refuses otherwise or
   *     cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void removeMember(String namespace, String account)
      throws IOException, InterruptedException {
    transport.status(Call.of("DELETE", member(namespace, account)).once());
  }

  private static String path(String namespace) {
    return NAMESPACES + "/" + NameRule.NAMESPACE.require(namespace);
  }

  private static String member(String namespace, String account) {
    return path(namespace) + "/members/" + NameRule.ACCOUNT.require(account);
  }
}
