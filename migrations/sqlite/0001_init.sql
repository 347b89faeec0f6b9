-- The store, first form. Every id is a UUIDv7 in 16 bytes, every time an integer of milliseconds
-- since 1970, UTC. Once merged, this file is never edited: a change is a new file.

-- What is true of the whole store: `instance_id` binds sealed values to it.
create table meta (
  key   text not null primary key,
  value text not null
) strict, without rowid;

insert into meta (key, value) values ('instance_id', lower(hex(randomblob(16))));

-- Organisations.
create table accounts (
  id         blob    not null primary key check (length(id) = 16),
  slug       text    not null unique,
  name       text    not null,
  created_at integer not null
) strict, without rowid;

-- People. `os_uid` is the operating system's number for one on this machine.
create table users (
  id             blob    not null primary key check (length(id) = 16),
  username       text    not null unique collate nocase,
  email          text,
  os_uid         integer unique,
  created_at     integer not null,
  deactivated_at integer
) strict, without rowid;

-- What people are in accounts.
create table memberships (
  account_id blob not null references accounts (id),
  user_id    blob not null references users (id),
  role       text not null check (role in ('member', 'admin')),
  primary key (account_id, user_id)
) strict, without rowid;

-- App environments, each of which owns at most one CLI token.
create table app_envs (
  id           blob    not null primary key check (length(id) = 16),
  account_id   blob    not null references accounts (id),
  name         text    not null,
  cli_env_name text,
  created_at   integer not null,
  unique (account_id, cli_env_name)
) strict, without rowid;

-- Tokens, never their values. `owner_id` is a user or an app environment. `client_id`, `audience`
-- and `family` wait for OAuth.
create table tokens (
  id                 blob    not null primary key check (length(id) = 16),
  kind               text    not null check (kind in ('pat', 'cli', 'oat', 'ort')),
  account_id         blob    not null references accounts (id),
  owner_kind         text    not null check (owner_kind in ('user', 'app_env')),
  owner_id           blob    not null check (length(owner_id) = 16),
  label              text    not null check (length(label) between 1 and 200),
  scopes             text    not null,
  created_at         integer not null,
  created_by         text    not null,
  parent_id          blob    references tokens (id),
  expires_at         integer,
  disabled_at        integer,
  disabled_by_person integer not null default 0 check (disabled_by_person in (0, 1)),
  revoked_at         integer,
  client_id          text,
  audience           text,
  family             blob
) strict, without rowid;

create index tokens_of_owner on tokens (account_id, owner_id, id) where revoked_at is null;
create index tokens_of_account on tokens (account_id, id) where revoked_at is null;
create index tokens_ended_of_owner on tokens (account_id, owner_id, id) where revoked_at is not null;
create index tokens_ended_of_account on tokens (account_id, id) where revoked_at is not null;
create index tokens_of_parent on tokens (parent_id) where parent_id is not null;
create unique index tokens_cli on tokens (account_id, owner_id) where kind = 'cli' and revoked_at is null;

-- The values of tokens, a row a generation: none while unclaimed, one as a rule, two during an
-- overlap. `hash` is null for an imported value, which authenticates nobody. `sealed` is a
-- nonce and a ciphertext, and `key_id` names the key that opens it.
create table token_values (
  token_id     blob    not null references tokens (id),
  generation   integer not null check (generation > 0),
  hash         blob    unique check (hash is null or length(hash) = 32),
  format       text    not null check (format in ('keywright', 'imported')),
  prefix       text,
  generated_at integer not null,
  dies_at      integer,
  sealed       blob,
  key_id       text,
  primary key (token_id, generation)
) strict, without rowid;

create index token_values_sealed on token_values (key_id) where sealed is not null;

-- When tokens were last used: written in batches, and lost for some seconds in a crash. No foreign
-- key, since a batch may meet a token that has just been swept.
create table token_uses (
  token_id     blob    not null primary key,
  last_used_at integer not null
) strict, without rowid;

-- Pick-ups that wait or have happened.
create table claims (
  code_hash  blob    not null primary key check (length(code_hash) = 32),
  token_id   blob    not null references tokens (id) on delete cascade,
  opened_by  text    not null,
  opened_at  integer not null,
  expires_at integer not null,
  overlap    integer not null,
  used_at    integer
) strict, without rowid;

create unique index claims_open on claims (token_id) where used_at is null;
create index claims_of_token on claims (token_id);

-- Keys with which a call may be made again. `arguments` is a digest of them, `claim` the print of
-- the code that the call opened, if it opened one.
create table idempotency_keys (
  holder     text    not null,
  verb       text    not null,
  key        text    not null,
  arguments  blob    not null check (length(arguments) = 32),
  token_id   blob    not null references tokens (id) on delete cascade,
  claim      blob    check (claim is null or length(claim) = 32),
  created_at integer not null,
  primary key (holder, verb, key)
) strict, without rowid;

create index idempotency_keys_age on idempotency_keys (created_at);
create index idempotency_keys_token on idempotency_keys (token_id);

-- What happened: a chain of hashes an account, and one of 16 zero bytes for the store itself.
create table audit (
  chain       blob    not null check (length(chain) = 16),
  sequence    integer not null,
  at          integer not null,
  actor       text    not null,
  user_id     blob,
  front       text    not null,
  request_id  blob    not null,
  action      text    not null,
  target_kind text,
  target_id   blob,
  owner_id    blob,
  outcome     text    not null check (outcome in ('done', 'refused')),
  reason      text,
  count       integer not null check (count > 0),
  digest      blob,
  hash        blob    not null check (length(hash) = 32),
  primary key (chain, sequence)
) strict, without rowid;

create index audit_of_target on audit (chain, target_id, sequence) where target_id is not null;

-- Where each chain ends.
create table audit_heads (
  chain    blob    not null primary key check (length(chain) = 16),
  sequence integer not null,
  hash     blob    not null check (length(hash) = 32)
) strict, without rowid;

create trigger audit_is_not_edited before update on audit
begin select raise(abort, 'the audit trail is append-only'); end;

create trigger audit_is_not_cut before delete on audit
begin select raise(abort, 'the audit trail is append-only'); end;
