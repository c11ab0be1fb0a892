//! What a site can configure.

use clinical_letter::{DocumentKind, Field, ReadOptions, TitleRule, read};

use super::support::{changed, one, outcome, report_with};

#[test]
fn options_go_round_and_refuse_unknown_members() {
    let options = ReadOptions::default();
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<ReadOptions>(&text).unwrap(), options);
    assert_eq!(serde_json::from_str::<ReadOptions>("{}").unwrap(), options);
    let error = serde_json::from_str::<ReadOptions>(r#"{"lables":{}}"#).unwrap_err();
    assert!(error.to_string().contains("lables"));
    assert!(serde_json::from_str::<ReadOptions>(r#"{"limits":{"zip":1}}"#).is_err());
}

#[test]
fn a_site_has_labels_titles_and_banners_of_its_own() {
    let bytes = report_with("NHS No:", "Rhif GIG:");
    assert_eq!(outcome(&bytes), "hold no-patient");
    let mut options = ReadOptions::default();
    options
        .labels
        .get_mut(&Field::NhsNumber)
        .unwrap()
        .push("Rhif GIG".to_owned());
    options.titles.insert(
        0,
        TitleRule::new("rheumatology", DocumentKind::from("rheumatology")),
    );
    options.restriction_banners.push("HIV CLINIC".to_owned());
    let letter = read(&bytes, &options).remove(0).into_letter().unwrap();
    assert_eq!(letter.document.kind.as_str(), "rheumatology");
    let banner = report_with("OUTPATIENT CLINIC", "** HIV CLINIC **\r\nOUTPATIENT CLINIC");
    assert_eq!(read(&banner, &options)[0].reason.as_str(), "restricted");
}

#[test]
fn a_site_has_document_codes_of_its_own() {
    let name = "hl7/h01-mdm-t02-tx-lines.hl7";
    let bytes = changed(name, "CL^Clinic letter^L", "SACT^Therapy summary^L");
    assert_eq!(
        one(&bytes).document.document.kind,
        Some(DocumentKind::HospitalLetter)
    );
    let mut options = ReadOptions::default();
    options
        .document_types
        .insert("SACT".to_owned(), DocumentKind::from("systemic-therapy"));
    let letter = read(&bytes, &options).remove(0).into_letter().unwrap();
    assert_eq!(letter.document.kind.as_str(), "systemic-therapy");
    assert_eq!(letter.document.title.expose(), "Therapy summary");
}
