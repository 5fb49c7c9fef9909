package dev.nola.registry.oidc;

import dev.nola.api.name.NameRule;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.ReservedNames;
import dev.nola.registry.web.Refusal;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * Knows whose account it is that a person at an issuer acts as. The first sign-in takes the account
 * of the name that the issuer states; later ones find it by the subject, since issuers rename
 * people and reuse names.
 */
@Component
class AccountLinks {
  private final JdbcClient database;
  private final Access access;
  private final OidcSettings settings;
  private final Clock clock;

  AccountLinks(JdbcClient database, Access access, OidcSettings settings, Clock clock) {
    this.database = database;
    this.access = access;
    this.settings = settings;
    this.clock = clock;
  }

  /** Returns the account of a person who signed in before. */
  Optional<String> find(String issuer, String subject) {
    return database
        .sql("select account from external_account where issuer = ? and subject = ?")
        .params(issuer, subject)
        .query(String.class)
        .optional();
  }

  /**
   * Takes an account for a person who signs in for the first time.
   *
   * @param issuer that vouches for the person
   * @param subject of the person
   * @param account that the person should have
   * @return the account
   * @throws Refusal with status 403 if the name breaks a rule or the account is another's
   */
  @Transactional
  public String take(String issuer, String subject, String account) {
    if (!NameRule.ACCOUNT.isMet(account)) {
      throw Refusal.forbidden(NameRule.ACCOUNT.message(account) + " (OpenID provider)");
    }
    if (ReservedNames.contains(account)) {
      throw Refusal.forbidden(
          ReservedNames.message("account", account) + " at your OpenID provider");
    }
    boolean taken =
        settings.publishersAccounts().contains(account)
            || (!settings.linkExisting() && access.accountExists(account));
    if (taken || insert(issuer, subject, account) == 0) {
      return find(issuer, subject) // by a request that came at the same time
          .orElseThrow(
              () ->
                  Refusal.forbidden(
                      "account taken: %s existed before your first sign-in; ask an admin of the registry to link it"
                          .formatted(account)));
    }
    return account;
  }

  private int insert(String issuer, String subject, String account) {
    return database
        .sql(
            """
            insert into external_account (account, issuer, subject, created_at)
            values (?, ?, ?, ?) on conflict do nothing""")
        .params(account, issuer, subject, Timestamp.from(clock.instant()))
        .update();
  }
}
