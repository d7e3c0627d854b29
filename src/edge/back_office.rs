//! The back office, in D1: index of accounts, API keys, audit.

use std::cell::RefCell;

use worker::wasm_bindgen::JsValue;

use super::{clock, config, js, world::EdgeWorld};
use crate::{
    kernel::{fault::Fault, id::AccountId, json, table::Table, time::Timestamp},
    model::{
        api_key::{ApiKey, Mode},
        audit::AuditEntry,
        case::CaseRow,
    },
    ports::BackOffice,
};

/// An API key that was revoked works on for so long where it was just used.
const KEY_CACHED_MILLIS: u64 = 60_000;

/// That there is no such key is remembered for so long: inventions shall not ask the database each time.
const NO_KEY_CACHED_MILLIS: u64 = 10_000;

/// Keys cached in an isolate; beyond it starts anew.
const KEYS_CACHED: usize = 1000;

thread_local! {
    static KEYS: RefCell<Table<String, (u64, Option<ApiKey>)>> = const { RefCell::new(Table::new()) };
}

impl BackOffice for EdgeWorld {
    async fn api_key(&self, digest: &str) -> Result<Option<ApiKey>, Fault> {
        let now = clock::platform_millis();
        let cached = KEYS.with_borrow(|keys| keys.get(digest).filter(|(until, _)| now < *until).cloned());
        if let Some((_, key)) = cached {
            return Ok(key);
        }
        let statement = self.statement(
            "SELECT name, scopes, mode, calls_per_minute, calls_per_month, apps FROM api_keys \
             WHERE digest = ?1 AND revoked_at IS NULL",
            &[digest.into()],
        )?;
        let row = js::ask(&statement, "first", &[]).await.ok_or(UNREAD)?;
        let key = if row.is_null() || row.is_undefined() { None } else { Some(key_of(&row).ok_or(UNREAD)?) };
        let millis = if key.is_some() { KEY_CACHED_MILLIS } else { NO_KEY_CACHED_MILLIS };
        KEYS.with_borrow_mut(|keys| {
            if keys.len() >= KEYS_CACHED {
                *keys = Table::new();
            }
            keys.insert(digest.to_owned(), (now.saturating_add(millis), key.clone()));
        });
        Ok(key)
    }

    async fn audit(&self, entry: AuditEntry) -> Result<(), Fault> {
        let values = [
            js::number(entry.at.millis()),
            entry.actor.into(),
            entry.action.name().into(),
            entry.subject.into(),
            entry.request.into(),
        ];
        self.execute(
            "INSERT INTO audit (at, actor, action, subject, request_id) VALUES (?1, ?2, ?3, ?4, ?5)",
            &values,
            Fault::new("audit_not_written"),
        )
        .await
    }

    async fn index_account(
        &self,
        account: AccountId,
        created_at: Timestamp,
        last_login_at: Timestamp,
    ) -> Result<(), Fault> {
        let values =
            [account.to_string().into(), js::number(created_at.millis()), js::number(last_login_at.millis())];
        self.execute(
            "INSERT INTO accounts (id, created_at, last_login_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (id) DO UPDATE SET last_login_at = max(last_login_at, excluded.last_login_at)",
            &values,
            Fault::new("account_not_indexed"),
        )
        .await
    }

    async fn unindex_account(&self, account: AccountId) -> Result<(), Fault> {
        let values = [account.to_string().into()];
        self.execute("DELETE FROM accounts WHERE id = ?1", &values, Fault::new("account_not_unindexed")).await
    }

    async fn index_case(&self, row: &CaseRow) -> Result<(), Fault> {
        let values = [
            row.id.to_string().into(),
            row.state.as_str().into(),
            js::number(row.updated_at.millis()),
            json::write(row)?.into(),
        ];
        self.execute(
            "INSERT INTO cases (id, state, updated_at, row) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (id) DO UPDATE SET state = ?2, updated_at = ?3, row = ?4 WHERE updated_at <= ?3",
            &values,
            Fault::new("case_not_indexed"),
        )
        .await
    }

    async fn cases(&self, state: &str, after: u64, most: u32) -> Result<Vec<(u64, CaseRow)>, Fault> {
        let fault = Fault::new("cases_not_read");
        let after = js::number(i64::try_from(after).unwrap_or(i64::MAX));
        let statement = self.statement(
            "SELECT json_group_array(json_array(number, json(row))) AS rows FROM \
             (SELECT number, row FROM cases WHERE state = ?1 AND number > ?2 ORDER BY number LIMIT ?3)",
            &[state.into(), after, js::number(most.into())],
        )?;
        let rows = js::ask(&statement, "first", &["rows".into()]).await.and_then(|rows| rows.as_string());
        json::read(rows.ok_or(fault)?.as_bytes()).ok_or(fault)
    }
}

fn key_of(row: &JsValue) -> Option<ApiKey> {
    let text = |name: &str| js::get(row, name)?.as_string();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers in the table")]
    let number = |name: &str| Some(js::get(row, name)?.as_f64()? as u32);
    Some(ApiKey {
        name: text("name")?,
        mode: if text("mode")? == Mode::Live.name() { Mode::Live } else { Mode::Test },
        calls_per_minute: number("calls_per_minute"),
        calls_per_month: number("calls_per_month"),
        apps: text("apps").as_deref().map(words),
        scopes: words(&text("scopes")?),
    })
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

impl EdgeWorld {
    async fn execute(&self, sql: &str, values: &[JsValue], fault: Fault) -> Result<(), Fault> {
        let result = js::ask(&self.statement(sql, values)?, "run", &[]).await.ok_or(fault)?;
        let is_done = js::get(&result, "success").is_some_and(|success| success.is_truthy());
        if is_done { Ok(()) } else { Err(fault) }
    }

    fn statement(&self, sql: &str, values: &[JsValue]) -> Result<JsValue, Fault> {
        let database = js::get(&self.env, config::BACK_OFFICE).ok_or(Fault::new("back_office_not_bound"))?;
        let statement = js::call(&database, "prepare", &[sql.into()]);
        let bound = statement.and_then(|statement| js::call(&statement, "bind", values));
        bound.ok_or(Fault::new("statement_does_not_bind"))
    }
}

const UNREAD: Fault = Fault::new("api_key_not_read");
