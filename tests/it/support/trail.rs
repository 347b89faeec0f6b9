//! The audit trail as a few lines of text, and whether it is sound.

use keywright::{
    authority::{Known, ReadAudit},
    domain::{audit::AuditRecord, page::Limit},
};

use super::{app::TestApp, requests::operator};

impl TestApp {
    /// The newest entries of the account `default`, oldest first: `who action outcome: reason`.
    pub(crate) async fn trail(&self, newest: usize) -> Vec<String> {
        lines(&self.records(false, newest).await)
    }

    /// The same of the system's own entries.
    pub(crate) async fn system_trail(&self, newest: usize) -> Vec<String> {
        lines(&self.records(true, newest).await)
    }

    /// The newest entry of the account `default`, whole.
    pub(crate) async fn last_record(&self) -> AuditRecord {
        self.records(false, 1).await.remove(0)
    }

    async fn records(&self, system: bool, newest: usize) -> Vec<AuditRecord> {
        let asked = ReadAudit {
            system,
            limit: Limit::try_from(i64::try_from(newest).unwrap()).unwrap(),
            ..ReadAudit::default()
        };
        let page = self.authority.read_audit(&operator(), asked).await;
        let mut records = page.unwrap().rows;
        records.reverse();
        records
    }

    /// What `verify_audit` finds, in words.
    pub(crate) async fn faults(&self) -> Vec<String> {
        self.faults_against(Vec::new()).await
    }

    /// The same, with what was kept of the trail.
    pub(crate) async fn faults_against(&self, known: Vec<Known>) -> Vec<String> {
        let verified = self.authority.verify_audit(&operator(), known).await;
        let faults = verified.unwrap().faults;
        faults.iter().map(ToString::to_string).collect()
    }

    /// Nothing was rewritten, and nothing changed without an entry.
    pub(crate) async fn is_sound(&self) {
        assert_eq!(self.faults().await, [""; 0]);
    }
}

fn lines(records: &[AuditRecord]) -> Vec<String> {
    let line = |record: &AuditRecord| {
        let actor = record.actor.to_string();
        let actor = actor.split(':').next().unwrap();
        let count = Some(record.count).filter(|count| *count > 1);
        let count = count.map(|count| format!(" x{count}"));
        let reason = record.reason.as_ref().map(|reason| format!(": {reason}"));
        let (action, outcome) = (&record.action, record.outcome.as_str());
        let [count, reason] = [count, reason].map(Option::unwrap_or_default);
        format!("{actor} {action} {outcome}{count}{reason}")
    };
    records.iter().map(line).collect()
}
