#!/bin/sh
# Run once by the PostgreSQL image, when its volume is new: gives the registry a role that is not a superuser, and keeps the superuser
# from logging in over the network.
set -eu

psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres --quiet <<'SQL'
\set password `cat "${POSTGRES_PASSWORD_FILE:?}"`
create role nola login password :'password';
create database nola owner nola;
alter role postgres password null;
SQL
