use async_trait::async_trait;
use globus_login::{Login, LoginStore, Sealer, StoreError, UserKey, Version, Versioned};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error};

/// The table. Rows are never deleted, so that no version comes twice.
pub const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS globus_login (
        environment text, client text, name text,
        version bigint NOT NULL, login text NOT NULL,
        PRIMARY KEY (environment, client, name)
    )";

const SELECT: &str = "SELECT version, login FROM globus_login
    WHERE environment = $1 AND client = $2 AND name = $3";

const INSERT: &str = "INSERT INTO globus_login VALUES ($1, $2, $3, $4::bigint + 1, $5)
    ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE globus_login SET version = $4::bigint + 1, login = $5
    WHERE environment = $1 AND client = $2 AND name = $3 AND version = $4";

pub struct PostgresStore {
    pub client: Client,
    pub sealer: Sealer,
}

#[async_trait]
impl LoginStore for PostgresStore {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        let (environment, client, name) = (user.environment(), user.client(), user.user());
        let row = self
            .client
            .query_opt(SELECT, &[&environment, &client, &name])
            .await;
        let Some(row) = row.map_err(unavailable)? else {
            let login = Login::default();
            return Ok(Versioned {
                version: Version::NONE,
                login,
            });
        };
        let version = Version::new(row.get::<_, i64>(0).to_string());
        let login = self.sealer.open_login(user, &version, row.get(1))?;
        Ok(Versioned { version, login })
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        let (environment, client, name) = (user.environment(), user.client(), user.user());
        let before: i64 = base.as_str().parse().unwrap_or(0);
        let version = Version::new((before + 1).to_string());
        let sealed = self.sealer.seal_login(user, &version, login)?;
        let sql = if before == 0 { INSERT } else { UPDATE };
        let values: [&(dyn ToSql + Sync); 5] = [&environment, &client, &name, &before, &sealed];
        let changed = self.client.execute(sql, &values).await;
        let is_done = changed.map_err(unavailable)? == 1;
        Ok(is_done.then_some(version))
    }
}

fn unavailable(error: Error) -> StoreError {
    StoreError::unavailable("Postgres did not keep or give a login", error)
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresStore")
    }
}
