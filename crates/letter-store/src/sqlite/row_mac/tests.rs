use super::*;

fn mac(key: &MasterKey, values: &str) -> Vec<u8> {
    let db = Connection::open_in_memory().unwrap();
    register(&db, key).unwrap();
    let sql = format!("SELECT row_mac({values})");
    db.query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn audit_6_v1_no_two_rows_have_one_digest() {
    let key = MasterKey::from_hex(&"07".repeat(32)).unwrap();
    let rows = [
        "'work', 1, 2",
        "'work', 12",
        "'work', '1', 2",
        "'work', x'31', 2",
        "'work', 1, 2, NULL",
        "'work', NULL, 1, 2",
        "'work', 1.0, 2",
        "'work', 'ab', 'c'",
        "'work', 'a', 'bc'",
        "'seen', 1, 2",
    ];
    let macs: std::collections::BTreeSet<_> = rows.iter().map(|row| mac(&key, row)).collect();
    assert_eq!(macs.len(), rows.len());
    assert!(macs.iter().all(|mac| mac.len() == 16));
}

#[test]
fn audit_6_v1_only_the_master_key_makes_a_digest() {
    let ours = MasterKey::from_hex(&"07".repeat(32)).unwrap();
    let other = MasterKey::from_hex(&"08".repeat(32)).unwrap();
    assert_eq!(mac(&ours, "'work', 1"), mac(&ours, "'work', 1"));
    assert_ne!(mac(&ours, "'work', 1"), mac(&other, "'work', 1"));
}
