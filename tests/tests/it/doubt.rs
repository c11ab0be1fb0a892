use letterbox_tests::{Letter, Mesh, Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_goes_the_whole_way() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    site.hand_over(&Letter::new(1));
    let _ = site.run_once().exits(0);
    assert_eq!(mesh.collect("YGM24GP1").len(), 1);
    let _ = site.run_once().exits(0);
    assert_eq!(site.ledger().way("1118-0001").await.state(), "COLLECTED");
    println!("{:#?}", site.letterbox(&["status", "--json"]));
    println!("{:#?}", site.letterbox(&["audit", "verify", "--json"]));
    println!("{:?}", site.ledger().way("1118-0001").await.kinds);
}
