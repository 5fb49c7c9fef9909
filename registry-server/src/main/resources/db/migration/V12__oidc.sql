-- Whose account it is that a person at an OpenID provider acts as. The provider may rename a person, or
-- give the name to another one: the subject stays.

create table external_account (
  account text primary key,
  issuer text not null,
  subject text not null,
  created_at timestamptz not null,
  unique (issuer, subject)
);
