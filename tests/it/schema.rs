//! The picture `schema`: what a new store consists of, as SQLite tells it after all migrations.

use std::fmt::Write as _;

use keywright::store::{Durability, Options, Sqlite};
use rusqlite::Connection;

#[test]
fn the_schema_is_as_it_was_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keywright").join("store.db");
    let quick = Options {
        create: true,
        durability: Durability::Off,
    };
    Sqlite::open(&path, quick).unwrap().close();
    let file = Connection::open(&path).unwrap();

    let mut picture = String::new();
    for table in names(&file, "table") {
        picture.push_str(&drawn(&file, &table));
    }
    for kind in ["view", "trigger"] {
        for name in names(&file, kind) {
            let sql = "select tbl_name || ': ' || sql from sqlite_schema where name = ?1";
            let told: String = file.query_row(sql, [&name], |row| row.get(0)).unwrap();
            writeln!(picture, "{kind} {name} on {told}\n").unwrap();
        }
    }

    insta::assert_snapshot!("schema", picture.trim_end());
}

fn names(file: &Connection, kind: &str) -> Vec<String> {
    let sql = "select name from sqlite_schema
        where type = ?1 and name not like 'sqlite_%' order by name";
    lines(file, sql, kind)
}

/// A table with its columns, what they lead to, and its indexes.
fn drawn(file: &Connection, table: &str) -> String {
    let columns = "select '  ' || name || ' ' || lower(type) || iif(\"notnull\", ' not null', '')
            || iif(dflt_value is null, '', ' default ' || dflt_value)
            || iif(pk, ' key ' || pk, '')
        from pragma_table_xinfo(?1) order by cid";
    let links = "select '  ' || \"from\" || ' -> ' || \"table\" || '.' || coalesce(\"to\", '')
            || iif(on_delete = 'NO ACTION', '', ' on delete ' || lower(on_delete))
        from pragma_foreign_key_list(?1) order by id";
    let indexes = "select '  ' || iif(i.\"unique\", 'unique ', '') || 'index '
            || iif(i.origin = 'c', i.name, 'of its own')
            || ' (' || coalesce((select group_concat(name || iif(coll = 'BINARY', '', ' ' || lower(coll)),
                ', ' order by seqno) from pragma_index_xinfo(i.name) where key),
                -- What an index is of that has no columns of its own stands in its statement.
                (select substr(sql, instr(sql, ' (') + 2, length(sql) - instr(sql, ' (') - 2)
                    from sqlite_schema where name = i.name))
            || ')' || iif(i.partial,
                ' where ' || (select substr(sql, instr(sql, ' where ') + 7)
                    from sqlite_schema where name = i.name), '')
        from pragma_index_list(?1) i where i.origin <> 'pk' order by i.origin desc, i.name";
    let whole = "select sql from sqlite_schema where name = ?1";
    let sql = lines(file, whole, table).concat();
    let checked = sql
        .lines()
        .filter_map(|line| line.split_once(" check (").map(|(_, check)| check))
        .map(|check| {
            let end = check.trim_end_matches(',');
            format!("  check ({end}\n")
        });
    let mut text = format!("table {table}{}\n", ending(&sql));
    for line in [columns, links, indexes]
        .map(|sql| lines(file, sql, table))
        .concat()
    {
        writeln!(text, "{line}").unwrap();
    }
    text.extend(checked);
    text.push('\n');
    text
}

/// What stands behind a table's last parenthesis.
fn ending(sql: &str) -> String {
    let end = sql.rsplit_once(')').map_or("", |(_, end)| end).trim();
    match end {
        "" => String::new(),
        end => format!(" ({end})"),
    }
}

fn lines(file: &Connection, sql: &str, of: &str) -> Vec<String> {
    let mut statement = file.prepare(sql).unwrap();
    let rows = statement.query_map([of], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}
