-- The registry's private key, of which there is one; none if the settings have it.
create table signing_key (
  only_one boolean primary key default true check (only_one),
  pem text not null
);
