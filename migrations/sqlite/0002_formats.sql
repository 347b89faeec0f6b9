-- A value may look as another product's clients expect it: `format` names its shape then, such as
-- `acme_<32 hex>`, so that rotation keeps it. A check cannot be changed in place: the table is made
-- anew, and everything in it stays as it was.
create table token_values_2 (
  token_id     blob    not null references tokens (id),
  generation   integer not null check (generation > 0),
  hash         blob    unique check (hash is null or length(hash) = 32),
  format       text    not null check (length(format) between 1 and 64),
  prefix       text,
  generated_at integer not null,
  dies_at      integer,
  sealed       blob,
  key_id       text,
  primary key (token_id, generation)
) strict, without rowid;

insert into token_values_2 (token_id, generation, hash, format, prefix, generated_at, dies_at, sealed, key_id)
  select token_id, generation, hash, format, prefix, generated_at, dies_at, sealed, key_id
  from token_values order by token_id, generation;

drop table token_values;

alter table token_values_2 rename to token_values;

create index token_values_sealed on token_values (key_id) where sealed is not null;
