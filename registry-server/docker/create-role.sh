#!/bin/sh
# Run by the PostgreSQL image, once, when its volume is new: the registry works as a role that is no superuser, and the superuser
# can no longer come in over the network.
set -eu

psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres --quiet <<'SQL'
\set password `cat "${POSTGRES_PASSWORD_FILE:?}"`
create role nola login password :'password';
create database nola owner nola;
alter role postgres password null;
SQL
