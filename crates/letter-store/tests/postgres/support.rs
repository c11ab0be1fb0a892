//! A schema in a server of its own, and a raw look into it.

use letter_store::testkit::Cluster;
use letter_store::{MasterKey, PostgresStore};
use tokio_postgres::{Client, NoTls};

pub(crate) const SCHEMA: &str = "rxx";

pub(crate) fn key() -> MasterKey {
    MasterKey::from_hex(&"5a".repeat(32)).unwrap()
}

pub(crate) async fn open(cluster: &Cluster) -> PostgresStore {
    let settings = cluster.settings(SCHEMA);
    PostgresStore::open(settings, &key()).await.unwrap()
}

/// A connection as an administrator of the database has one.
pub(crate) async fn raw(cluster: &Cluster) -> Client {
    let (client, connection) = tokio_postgres::connect(&cluster.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let sql = format!("SET search_path TO {SCHEMA}");
    client.batch_execute(&sql).await.unwrap();
    client
}

/// Everything in the schema, as text.
pub(crate) async fn dump(client: &Client) -> Vec<String> {
    let sql =
        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1";
    let mut all = Vec::new();
    for table in client.query(sql, &[]).await.unwrap() {
        let table: String = table.get(0);
        let sql = format!("SELECT '{table} ' || t::text FROM {table} t ORDER BY 1");
        let rows = client.query(&sql, &[]).await.unwrap();
        all.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    all
}

pub(crate) fn run<F: Future>(case: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(case)
}
