use std::collections::BTreeMap;

use crate::{Error, Store, row};

impl Store {
    /// The number of examples by task and kind of source.
    pub async fn source_counts(&self) -> Result<BTreeMap<String, BTreeMap<String, u64>>, Error> {
        let rows = sqlx::query("select task, source_kind, count(*) as n from examples group by task, source_kind")
            .fetch_all(&self.read)
            .await?;
        let mut tasks: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for row in &rows {
            let kinds = tasks.entry(row::get(row, "task")?).or_default();
            kinds.insert(row::get(row, "source_kind")?, row::get(row, "n")?);
        }
        Ok(tasks)
    }
}
