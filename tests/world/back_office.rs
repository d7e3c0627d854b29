//! The back office in memory: the tables that D1 holds.

use std::collections::BTreeMap;

use onetap::{
    kernel::{fault::Fault, id::AccountId, time::Timestamp},
    model::{api_key::ApiKey, audit::AuditEntry, case::CaseRow},
    ports::BackOffice,
};

use super::{Port, World};

/// The tables.
#[derive(Debug, Default)]
pub(crate) struct BackOfficeTables {
    /// API keys by digest.
    pub(crate) api_keys: BTreeMap<String, ApiKey>,
    /// The audit log, oldest first.
    pub(crate) audit: Vec<AuditEntry>,
    /// Created and last used, by account.
    pub(crate) accounts: BTreeMap<AccountId, (Timestamp, Timestamp)>,
    /// The queue of cases, in the order in which they were opened.
    pub(crate) cases: Vec<CaseRow>,
}

impl BackOffice for World {
    async fn api_key(&self, digest: &str) -> Result<Option<ApiKey>, Fault> {
        let find = async || Ok(self.back_office().api_keys.get(digest).cloned());
        self.faults.pass(Port::ApiKeys, Fault::new("api_key_not_read"), find).await
    }

    async fn audit(&self, entry: AuditEntry) -> Result<(), Fault> {
        let insert = async || {
            self.back_office().audit.push(entry);
            Ok(())
        };
        self.faults.pass(Port::Audit, Fault::new("audit_not_written"), insert).await
    }

    async fn index_account(
        &self,
        account: AccountId,
        created_at: Timestamp,
        last_login_at: Timestamp,
    ) -> Result<(), Fault> {
        let upsert = async || {
            let mut tables = self.back_office();
            let row = tables.accounts.entry(account).or_insert((created_at, last_login_at));
            row.1 = row.1.max(last_login_at);
            Ok(())
        };
        self.faults.pass(Port::Index, Fault::new("account_not_indexed"), upsert).await
    }

    async fn unindex_account(&self, account: AccountId) -> Result<(), Fault> {
        let delete = async || {
            self.back_office().accounts.remove(&account);
            Ok(())
        };
        self.faults.pass(Port::Index, Fault::new("account_not_unindexed"), delete).await
    }

    async fn index_case(&self, row: &CaseRow) -> Result<(), Fault> {
        let upsert = async || {
            let mut tables = self.back_office();
            match tables.cases.iter_mut().find(|known| known.id == row.id) {
                Some(known) if known.updated_at <= row.updated_at => *known = row.clone(),
                Some(_) => {}
                None => tables.cases.push(row.clone()),
            }
            Ok(())
        };
        self.faults.pass(Port::Index, Fault::new("case_not_indexed"), upsert).await
    }

    async fn cases(&self, state: &str, after: u64, most: u32) -> Result<Vec<(u64, CaseRow)>, Fault> {
        let select = async || {
            let tables = self.back_office();
            let rows = (1..).zip(&tables.cases).filter(|(number, row)| *number > after && row.state == state);
            Ok(rows.take(most as usize).map(|(number, row)| (number, row.clone())).collect())
        };
        self.faults.pass(Port::Index, Fault::new("cases_not_read"), select).await
    }
}
