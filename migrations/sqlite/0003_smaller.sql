-- Less room for a token, and less to write for each. Nothing that is told of a token changes.
--
-- Who made it is kept in bytes: `t` or `l` and the id of the token or the local user, or one letter
-- for those that have no id, `o`perator, `k`eywright, `n`obody. Text that says none of these leaves
-- null, which is refused: then nothing is migrated, and nothing lost.
create table tokens_3 (
  id                 blob    not null primary key check (length(id) = 16),
  kind               text    not null check (kind in ('pat', 'cli', 'oat', 'ort')),
  account_id         blob    not null references accounts (id),
  owner_kind         text    not null check (owner_kind in ('user', 'app_env')),
  owner_id           blob    not null check (length(owner_id) = 16),
  label              text    not null check (length(label) between 1 and 200),
  scopes             text    not null,
  created_at         integer not null,
  created_by         blob    not null check (length(created_by) in (1, 17)),
  parent_id          blob    references tokens (id),
  expires_at         integer,
  disabled_at        integer,
  disabled_by_person integer not null default 0 check (disabled_by_person in (0, 1)),
  revoked_at         integer,
  client_id          text,
  audience           text,
  family             blob
) strict, without rowid;

insert into tokens_3 (id, kind, account_id, owner_kind, owner_id, label, scopes, created_at,
    created_by, parent_id, expires_at, disabled_at, disabled_by_person, revoked_at, client_id,
    audience, family)
  select id, kind, account_id, owner_kind, owner_id, label, scopes, created_at,
    case
      when created_by glob 'token:*' then unhex('74' || replace(substr(created_by, 7), '-', ''))
      when created_by glob 'local:*' then unhex('6c' || replace(substr(created_by, 7), '-', ''))
      when created_by = 'operator' then x'6f'
      when created_by = 'keywright' then x'6b'
      when created_by = 'nobody' then x'6e'
    end,
    parent_id, expires_at, disabled_at, disabled_by_person, revoked_at, client_id, audience, family
  from tokens order by id;

drop table tokens;

alter table tokens_3 rename to tokens;

create index tokens_of_owner on tokens (account_id, owner_id, id) where revoked_at is null;
create index tokens_of_account on tokens (account_id, id) where revoked_at is null;
create index tokens_ended_of_owner on tokens (account_id, owner_id, id) where revoked_at is not null;
create index tokens_ended_of_account on tokens (account_id, id) where revoked_at is not null;
create index tokens_of_parent on tokens (parent_id) where parent_id is not null;
create unique index tokens_cli on tokens (account_id, owner_id) where kind = 'cli' and revoked_at is null;

-- `format` is null for a value of our own. The index holds half of each print: enough to tell any
-- two apart, while a look-up compares the whole of it.
create table token_values_3 (
  token_id     blob    not null references tokens (id),
  generation   integer not null check (generation > 0),
  hash         blob    check (hash is null or length(hash) = 32),
  format       text    check (format is null or length(format) between 1 and 64),
  prefix       text,
  generated_at integer not null,
  dies_at      integer,
  sealed       blob,
  key_id       text,
  primary key (token_id, generation)
) strict, without rowid;

insert into token_values_3 (token_id, generation, hash, format, prefix, generated_at, dies_at,
    sealed, key_id)
  select token_id, generation, hash, nullif(format, 'keywright'), prefix, generated_at, dies_at,
    sealed, key_id
  from token_values order by token_id, generation;

drop table token_values;

alter table token_values_3 rename to token_values;

create unique index token_values_by_hash on token_values (substr(hash, 1, 16));
create index token_values_sealed on token_values (key_id) where sealed is not null;
