//! The audit trail: what is told of it, and what is found when somebody has been at the store. An
//! input names a column, a row, and what is put there behind Keywright's back.

use std::{cell::RefCell, mem::ManuallyDrop};

use keywright::{
    authority::{Fault, For, ListTokens, Of, ReadAudit},
    authz::{Credential, Request},
    domain::{audit::Front, page::Limit, text::is_unseen},
    wire::{
        audit::{AuditRecords, ExportedRecord, Verification, known},
        token::Token,
    },
};
use rusqlite::{
    Connection, params,
    types::{ToSql, Value},
};

use crate::house::House;

/// What can be put where: every column of every table.
const PLACES: &str = "select m.name, c.name from sqlite_schema m, pragma_table_info(m.name) c \
    where m.type = 'table' and m.name not like 'sqlite%' order by 1, 2";

/// The guards of the trail, as they are written down.
const GUARDS: &str = "select name, sql from sqlite_schema where type = 'trigger'";

/// A house, and a way into its store behind its back.
struct Broken {
    house: House,
    file: Connection,
    places: Vec<(String, String)>,
    guards: Vec<(String, String)>,
}

thread_local! {
    static BROKEN: RefCell<Option<ManuallyDrop<Broken>>> = const { RefCell::new(None) };
}

pub fn look(data: &[u8]) {
    // As a line of an export that somebody kept.
    if let Ok(known) = known(data) {
        let said: serde_json::Value = serde_json::from_slice(data).unwrap();
        assert_eq!(said["sequence"], known.sequence);
    }
    BROKEN.with_borrow_mut(|broken| {
        broken
            .get_or_insert_with(|| ManuallyDrop::new(Broken::new()))
            .edit(data);
    });
}

impl Broken {
    fn new() -> Self {
        let house = House::new();
        let file = Connection::open(house.file()).unwrap();
        file.pragma_update(None, "foreign_keys", false).unwrap();
        file.pragma_update(None, "ignore_check_constraints", true)
            .unwrap();
        file.pragma_update(None, "synchronous", "off").unwrap();
        let pairs = |sql| {
            let mut rows = file.prepare(sql).unwrap();
            let rows = rows
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap();
            rows.map(Result::unwrap).collect::<Vec<(String, String)>>()
        };
        let (places, guards) = (pairs(PLACES), pairs(GUARDS));
        let broken = Self {
            house,
            file,
            places,
            guards,
        };
        assert!(broken.look(), "it was sound before");
        broken
    }

    fn edit(&self, data: &[u8]) {
        let [place, row, kind, rest @ ..] = data else {
            return;
        };
        let (table, column) = &self.places[usize::from(*place) % self.places.len()];
        let count = format!("select count(*) from \"{table}\"");
        let rows: i64 = self.file.query_row(&count, [], |row| row.get(0)).unwrap();
        if rows == 0 {
            return;
        }
        let at = i64::from(*row) % rows;
        let before = self.column(table, column, at);
        let value = value(*kind, rest, &before);
        let whole = self.rows(table);
        if !self.put(table, column, &before, &value, at) {
            return;
        }
        let is_other = self.rows(table) != whole;
        let is_sound = self.look();
        if table.starts_with("audit") && is_other {
            assert!(!is_sound, "{table}.{column}: {before:?} became {value:?}");
        }
        assert!(
            self.put(table, column, &value, &before, at),
            "{table}.{column}: {before:?}"
        );
        assert!(self.look(), "it is sound again: {table}.{column}");
    }

    fn column(&self, table: &str, column: &str, at: i64) -> Value {
        let sql = format!("select \"{column}\" from \"{table}\" order by 1 limit 1 offset ?1");
        self.file.query_row(&sql, [at], |row| row.get(0)).unwrap()
    }

    fn rows(&self, table: &str) -> Vec<Vec<Value>> {
        let mut rows = self
            .file
            .prepare(&format!("select * from \"{table}\""))
            .unwrap();
        let columns = rows.column_count();
        let rows = rows.query_map([], |row| (0..columns).map(|at| row.get(at)).collect());
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Puts `new` in the place of every `old` there, with the guards out of the way meanwhile. Whether
    /// the store takes it.
    fn put(&self, table: &str, column: &str, old: &Value, new: &Value, _: i64) -> bool {
        let there = |value: &Value| {
            let sql = format!("select count(*) from \"{table}\" where \"{column}\" is ?1");
            let count: i64 = self
                .file
                .query_row(&sql, [value], |row| row.get(0))
                .unwrap();
            count
        };
        // Else it could not be put back.
        if there(old) == 0 || (old != new && there(new) > 0) {
            return false;
        }
        let change = self.file.unchecked_transaction().unwrap();
        for (name, _) in &self.guards {
            change.execute(&format!("drop trigger {name}"), []).unwrap();
        }
        let sql = format!("update \"{table}\" set \"{column}\" = ?1 where \"{column}\" is ?2");
        let done = change.execute(&sql, params![new as &dyn ToSql, old as &dyn ToSql]);
        for (_, sql) in &self.guards {
            change.execute(sql, []).unwrap();
        }
        match done {
            Ok(_) => change.commit().is_ok(),
            Err(_) => false,
        }
    }

    /// Looks at everything, and tells whether it is sound.
    fn look(&self) -> bool {
        let operator = Credential::Operator {
            uid: 1000,
            account: "default".parse().unwrap(),
        };
        let operator = Request::new(operator, Front::Cli);
        let authority = &self.house.authority;
        self.house.runtime.block_on(async {
            for system in [false, true] {
                let asked = ReadAudit {
                    system,
                    limit: Limit::MOST,
                    ..ReadAudit::default()
                };
                if let Ok(page) = authority.read_audit(&operator, asked).await {
                    told(&AuditRecords::from(&page));
                }
            }
            let list = ListTokens {
                of: Of::Account,
                query: None,
                state: None,
                unused_for: None,
                expiring_within: None,
                limit: Limit::MOST,
                cursor: None,
            };
            if let Ok((page, at)) = authority.list_tokens(&operator, list).await {
                page.rows
                    .iter()
                    .for_each(|token| told(&Token::at(token, at)));
            }
            let _ = authority.get_cli_token(&operator, For::Me).await;
            let _ = authority.list_claims(&operator).await;
            let _ = authority
                .introspect_tokens(&self.house.request(), &[&self.house.other])
                .await;
            let _ = authority.whoami(&self.house.request()).await;
            let _ = authority.list_users(&operator).await;
            let (mut kept, mut from) = (Vec::new(), None);
            while let Ok(piece) = authority.export_audit(&operator, from).await {
                for record in &piece.records {
                    let view = ExportedRecord::from(record);
                    told(&view);
                    kept.push(known(&serde_json::to_vec(&view).unwrap()).unwrap());
                }
                from = piece.next;
                if from.is_none() {
                    break;
                }
            }
            match authority.verify_audit(&operator, kept).await {
                Ok(verified) => {
                    let is_rewritten = |fault: &Fault| matches!(fault, Fault::Rewritten { .. });
                    assert!(!verified.faults.iter().any(is_rewritten));
                    let view = Verification::from(&verified);
                    told(&view);
                    view.sound
                }
                Err(_) => false,
            }
        })
    }
}

/// What is told reads back, and shows everything that is in it.
fn told(view: &impl serde::Serialize) {
    let text = serde_json::to_string(view).unwrap();
    assert!(!text.contains(is_unseen), "{text}");
    let back: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(back.is_object());
}

/// What is put there: something of any type, or what stood there, a little changed.
fn value(kind: u8, rest: &[u8], before: &Value) -> Value {
    match kind % 6 {
        0 => Value::Null,
        1 => {
            let bytes = rest.iter().take(8);
            Value::Integer(bytes.fold(0, |number, b| number << 8 | i64::from(*b)))
        }
        2 => Value::Text(String::from_utf8_lossy(rest).into_owned()),
        3 => Value::Blob(rest.to_vec()),
        _ => match before {
            Value::Integer(number) => Value::Integer(number ^ (1 << (rest.len() % 63))),
            Value::Text(text) => Value::Text(format!("{text}{}", String::from_utf8_lossy(rest))),
            Value::Blob(bytes) => {
                let mut bytes = bytes.clone();
                let place = usize::from(rest.first().copied().unwrap_or(0));
                let length = bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(place % length) {
                    *byte ^= rest.get(1).copied().unwrap_or(1) | 1;
                }
                Value::Blob(bytes)
            }
            Value::Null | Value::Real(_) => Value::Text("x".to_owned()),
        },
    }
}
