//! TLS to the database: the server proves itself, and nothing goes over the wire in clear.

use letter_delivery::Store as _;
use letter_store::testkit::Cluster;
use letter_store::{OpenError, PostgresSettings, PostgresStore};

use crate::support::{SCHEMA, Worker, assert_clean, key, raw, run};

/// A certificate of `localhost` that proves itself, with its key.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn what_the_url_asks_to_be_encrypted_is_and_only_to_a_server_that_proves_itself() {
    let (ours, server_key) = certificate();
    let Some(cluster) = Cluster::start_with_tls(&ours, &server_key) else {
        return;
    };
    run(async {
        let settings = || {
            let settings = PostgresSettings::new(cluster.url_over_tls(), SCHEMA);
            settings.allow_losing_commits()
        };
        let store = PostgresStore::open(settings().ca(ours.as_str()), &key()).await;
        let store = store.unwrap();
        store.commit(Worker::new(1).letter("DOC-1")).await.unwrap();
        store.sequence().await.unwrap();
        assert_clean(&store).await;
        let admin = raw(&cluster).await;
        let sql = "SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl \
                   JOIN pg_stat_activity USING (pid) WHERE application_name = 'letterbox'";
        let row = admin.query_one(sql, &[]).await.unwrap();
        let (all, encrypted): (i64, i64) = (row.get(0), row.get(1));
        assert!(all > 0 && encrypted == all, "{encrypted} of {all}");

        let stranger = certificate().0;
        for (settings, says) in [
            (settings().ca(stranger), "certificate"),
            (settings(), "CA certificates"),
            (settings().ca("no certificate"), "no CA certificate"),
        ] {
            let refused = PostgresStore::open(settings, &key()).await.unwrap_err();
            assert!(
                matches!(refused, OpenError::Unreachable { .. }),
                "{refused}"
            );
            assert!(refused.to_string().contains(says), "{refused}");
        }
    });
}
