//! `keywright connect --list`: which clients there are, and which of them are connected.

use serde::Serialize;

use super::{
    clients::{self, Client},
    file::ClientFile,
    record::Shelf,
};
use crate::{
    authority::Error,
    cli::{
        error::Failure,
        output::{self, Output, Table},
        serve::House,
        token::written,
    },
    domain::text::escaped,
    wire::token::Token,
};

/// The clients that are known.
#[derive(Serialize)]
struct Clients {
    clients: Vec<Row>,
}

/// One of them.
#[derive(Serialize)]
struct Row {
    client: &'static str,
    label: &'static str,
    installed: bool,
    connected: bool,
    file: Option<String>,
    /// Why nothing can be told of its file.
    fault: Option<String>,
    token: Option<Token>,
}

/// Lists them.
pub(super) async fn run(house: &House, out: Output) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for client in &clients::ALL {
        rows.push(row(house, client).await?);
    }
    written(out.show(&Clients { clients: rows }, eyes))
}

async fn row(house: &House, client: &'static Client) -> Result<Row, Failure> {
    let place = client.place();
    let shelf = Shelf::of(house, client.name);
    let mut row = Row {
        client: client.name,
        label: client.label,
        installed: place.as_ref().is_some_and(|place| place.folder.is_dir()),
        connected: false,
        file: place.as_ref().map(|place| place.file.display().to_string()),
        fault: None,
        token: None,
    };
    if let Some(place) = &place {
        match ClientFile::look(&place.file).and_then(|file| Ok(client.start_in(&file)?)) {
            Ok(start) => row.connected = start.is_some_and(|start| shelf.is_named_by(&start)),
            Err(why) => row.fault = Some(format!("{why:#}")),
        }
    }
    let known = shelf.read().ok().flatten().and_then(|record| record.token);
    if let Some(Ok(id)) = known.map(|id| id.parse())
        && house.is_there()
    {
        let authority = house.authority().await?;
        row.token = match authority.get_token(&house.operator(), id).await {
            Ok((token, at)) => Some(Token::at(&token, at)),
            Err(Error::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(row)
}

fn eyes(view: &Clients) -> String {
    let mut table = Table::new([
        "CLIENT",
        "INSTALLED",
        "CONNECTED",
        "TOKEN",
        "STATE",
        "EXPIRES",
        "FILE",
    ])
    .without_in_need(["FILE", "EXPIRES"]);
    let yes = |is: bool| if is { "yes" } else { "-" }.to_owned();
    for row in &view.clients {
        let token = row.token.as_ref();
        table.row([
            row.client.to_owned(),
            yes(row.installed),
            match &row.fault {
                Some(_) => "cannot tell".to_owned(),
                None => yes(row.connected),
            },
            output::or_dash(token.map(|token| token.id.as_str())),
            output::or_dash(token.map(|token| token.state.as_str())),
            output::or_dash(token.map(|token| token.expires_at.as_deref().unwrap_or("never"))),
            output::or_dash(row.file.as_deref()),
        ]);
    }
    let mut text = output::table(&table, "No clients.");
    for row in &view.clients {
        if let (Some(fault), Some(file)) = (&row.fault, &row.file) {
            let fault = escaped(fault);
            output::add(&mut text, format_args!("{}: {file}: {fault}\n", row.label));
        }
    }
    text
}
