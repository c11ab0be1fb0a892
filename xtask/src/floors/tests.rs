use super::*;

fn package(name: &str, arrows: &[&str]) -> Package {
    let arrow = |to: &&str| Arrow {
        to: to.trim_start_matches("dev:").to_owned(),
        is_dev: to.starts_with("dev:"),
    };
    Package {
        name: name.to_owned(),
        is_library: true,
        is_published: true,
        features: Vec::new(),
        arrows: arrows.iter().map(arrow).collect(),
    }
}

fn verdict(name: &str, arrow: &str) -> Vec<String> {
    wrong_arrows(&[package(name, &[arrow])])
}

#[test]
fn the_workspace_itself_stands() {
    let packages = Workspace::find().unwrap().packages().unwrap();
    assert_eq!(wrong_arrows(&packages), Vec::<String>::new());
    assert!(packages.iter().any(|package| !package.arrows.is_empty()));
}

#[test]
fn an_arrow_planted_in_the_real_graph_is_found() {
    let mut packages = Workspace::find().unwrap().packages().unwrap();
    let types = packages
        .iter_mut()
        .find(|package| package.name == "nhs-types")
        .unwrap();
    types.arrows.push(Arrow {
        to: "letter-gateway".to_owned(),
        is_dev: false,
    });
    assert_eq!(
        wrong_arrows(&packages),
        ["nhs-types (floor 0) -> letter-gateway (floor 3): runs up, arrows run down"]
    );
}

#[test]
fn down_is_allowed_over_any_number_of_floors() {
    assert!(verdict("letterbox", "letter-store").is_empty());
    assert!(verdict("letterbox", "nhs-types").is_empty());
    assert!(verdict("mesh-client", "nhs-types").is_empty());
}

#[test]
fn up_is_refused() {
    assert_eq!(
        verdict("audit-core", "letter-delivery"),
        ["audit-core (floor 1) -> letter-delivery (floor 2): runs up, arrows run down"]
    );
}

#[test]
fn sideways_is_refused() {
    assert_eq!(
        verdict("gp-routing", "kettering-xml"),
        ["gp-routing (floor 1) -> kettering-xml (floor 1): runs sideways, arrows run down"]
    );
}

#[test]
fn gateway_and_store_do_not_know_each_other() {
    let there = verdict("letter-gateway", "letter-store");
    let back = verdict("letter-store", "letter-gateway");
    assert!(there[0].contains("runs sideways"), "{there:?}");
    assert!(back[0].contains("runs sideways"), "{back:?}");
    assert_eq!(verdict("letter-gateway", "dev:letter-store").len(), 1);
}

#[test]
fn dev_dependencies_may_point_to_test_support() {
    assert!(verdict("mesh-client", "dev:mesh-testserver").is_empty());
    assert!(verdict("letter-delivery", "dev:letterbox-tests").is_empty());
    assert!(verdict("letter-shape", "dev:clinical-letter").is_empty());
}

#[test]
fn other_dev_dependencies_run_down_too() {
    assert_eq!(
        verdict("nhs-types", "dev:clinical-letter"),
        [
            "nhs-types (floor 0) -> clinical-letter (floor 1) (dev-dependency): runs up, arrows run down"
        ]
    );
}

#[test]
fn test_support_is_no_normal_dependency_from_below() {
    assert_eq!(verdict("mesh-client", "mesh-testserver").len(), 1);
    assert_eq!(
        verdict("letterbox", "letterbox-tests"),
        ["letterbox -> letterbox-tests: letterbox-tests stands beside the house, no crate uses it"]
    );
}

#[test]
fn an_unknown_crate_is_told_where_to_go() {
    assert_eq!(
        wrong_arrows(&[package("fhir-toc", &["nhs-types"])]),
        ["fhir-toc: has no floor; add it to FLOORS in xtask/src/floors.rs"]
    );
}

#[test]
fn packages_beside_the_house_see_everything() {
    let beside = package(
        "letterbox-tests",
        &["letterbox", "letter-store", "nhs-types"],
    );
    assert!(wrong_arrows(&[beside]).is_empty());
}

#[test]
fn pure_are_the_floors_below_the_shells_apart_from_the_server() {
    assert!(is_pure("nhs-types") && is_pure("mesh-client") && is_pure("letter-delivery"));
    assert!(!is_pure("mesh-testserver") && !is_pure("letter-gateway") && !is_pure("serde"));
}
