//! `keywright store`: the store itself.

use serde::Serialize;

use super::{
    args::{self, Place},
    audit,
    error::Failure,
    output::{self, Output},
    serve::{House, Missing, store_path},
    token::written,
};
use crate::wire::audit::Verification;

/// What `store check` found.
#[derive(Debug, Serialize)]
struct Check {
    store: String,
    sound: bool,
    damage: Vec<String>,
    key: Option<String>,
    audit: Verification,
}

/// Does what was typed.
pub(super) async fn run(place: &Place, out: Output, asked: args::Store) -> Result<(), Failure> {
    let (path, _) = store_path(place)?;
    let path = path.display().to_string();
    match asked {
        args::Store::Path => written(out.show(&serde_json::json!({ "store": path }), |_| {
            format!("{path}\n")
        })),
        args::Store::Check => {
            let house = House::at(place, Missing::IsRefused)?;
            let checked = check(&house, path).await;
            house.close().await;
            let view = checked?;
            written(out.show(&view, eyes))?;
            if view.sound {
                Ok(())
            } else {
                Err(Failure::Told)
            }
        }
    }
}

async fn check(house: &House, store: String) -> Result<Check, Failure> {
    let checked = house
        .authority()
        .await?
        .check_store(&house.operator())
        .await?;
    let verified = house
        .authority()
        .await?
        .verify_audit(&house.operator(), Vec::new())
        .await?;
    let audit = Verification::from(&verified);
    Ok(Check {
        store,
        sound: checked.damage.is_empty() && checked.key.is_none() && audit.sound,
        damage: checked.damage,
        key: checked.key,
        audit,
    })
}

fn eyes(view: &Check) -> String {
    let mut text = format!("{}\n", view.store);
    for line in &view.damage {
        output::add(&mut text, format_args!("DAMAGE  {line}\n"));
    }
    if let Some(key) = &view.key {
        output::add(&mut text, format_args!("KEY  {key}\n"));
    }
    text.push_str(&audit::verification(&view.audit));
    text.push_str(if view.sound {
        "The store is sound.\n"
    } else {
        "The store is not sound.\n"
    });
    text
}
