use std::fmt;

macro_rules! codes {
    ($(#[$type_doc:meta])* $type:ident {
        $($(#[$citation:meta])* $variant:ident $code:literal: $says:literal, $next:literal;)*
    }) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $(#[doc = $says] $(#[$citation])* $variant,)*
        }

        impl $type {
            /// Every code, in the order of the facts.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable text of the code, as it stands in the ledger.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// What the code means, in a sentence that names no patient.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $says,)*
                }
            }

            const fn next(self) -> &'static str {
                match self {
                    $(Self::$variant => $next,)*
                }
            }

            /// Who does what next; `None` where nobody has to act.
            pub const fn next_action(self) -> Option<&'static str> {
                let next = self.next();
                if next.is_empty() { None } else { Some(next) }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

codes! {
    /// Why a decision is what it is: one of the stable codes of gp-routing facts 13.
    ///
    /// ```
    /// # use gp_routing::ReasonCode;
    /// let reason = ReasonCode::PracticeClosedNoSuccessor;
    /// assert_eq!(reason.as_str(), "PRACTICE_CLOSED_NO_SUCCESSOR");
    /// assert!(reason.next_action().is_some());
    /// ```
    ReasonCode {
        OkRegisteredPractice "OK_REGISTERED_PRACTICE":
            "The letter goes to the patient's practice.", "";
        OkCcRecipient "OK_CC_RECIPIENT":
            "The letter names this recipient for a copy.", "";
        OkManualOverride "OK_MANUAL_OVERRIDE":
            "A named person chose this practice.", "";
        /// Rule R2.
        GpCopyDeclined "GP_COPY_DECLINED":
            "A copy for the GP was declined, and it is recorded by whom, when and why.", "";
        PatientCopySuppressed "PATIENT_COPY_SUPPRESSED":
            "No copy goes to the patient: the patient has died, is restricted, or the trust sends no such copies.", "";
        /// Rule R1.
        NotSignedOff "NOT_SIGNED_OFF":
            "The letter is not signed off.",
            "author: sign the letter";
        /// Rule R2b.
        DeclineUnevidenced "DECLINE_UNEVIDENCED":
            "A declined GP copy is not told completely or contradicts itself: by whom, when and why must be recorded.",
            "author: record who declined the copy, when and why, or release it";
        /// Rule R2c.
        SensitiveNeedsDecision "SENSITIVE_NEEDS_DECISION":
            "The letter is of a kind that needs the patient's recorded consent, and none is recorded.",
            "author: record the patient's consent or decline the GP copy";
        /// gp-routing section 17.
        NoRecipient "NO_RECIPIENT":
            "The letter names an empty list of recipients.",
            "medical records: say who is to have the letter";
        /// Rule R3.
        NhsnoMissing "NHSNO_MISSING":
            "The letter carries no NHS number.",
            "medical records: trace the patient's NHS number";
        /// Rule R4.
        NhsnoInvalid "NHSNO_INVALID":
            "The NHS number cannot be right: its length, its characters or its check digit do not hold, or it is a placeholder.",
            "medical records: correct the NHS number at the source";
        /// Rule R5.
        NhsnoSynthetic "NHSNO_SYNTHETIC":
            "The NHS number is of a series kept for tests, and tests are not allowed here.",
            "medical records: find out why a test record has a letter";
        /// gp-routing section 2.4.
        NhsnoUnverified "NHSNO_UNVERIFIED":
            "Nothing confirms that the NHS number belongs to this patient.",
            "medical records: trace and verify the NHS number";
        PdsNotFound "PDS_NOT_FOUND":
            "The national record does not know the NHS number.",
            "medical records: trace the patient";
        PdsInvalidated "PDS_INVALIDATED":
            "The NHS number was withdrawn from the national record.",
            "medical records: trace the patient afresh";
        /// Rule R10.
        PdsDemographicMismatch "PDS_DEMOGRAPHIC_MISMATCH":
            "The national record and the letter do not agree on who the patient is.",
            "medical records: compare name, date of birth and NHS number";
        /// Rule R11.
        PdsRestricted "PDS_RESTRICTED":
            "The national record is restricted and gives no practice.",
            "information governance: confirm the practice by a safe way";
        /// Rule R8.
        PdsUnavailable "PDS_UNAVAILABLE":
            "The national record could not be asked.",
            "service desk: check the connection to the national record";
        /// Rule R11d.
        NoRegisteredPractice "NO_REGISTERED_PRACTICE":
            "No practice is known at which the patient is registered today.",
            "medical records: ask the patient for the practice";
        /// Rule R11c.
        DeregisteredEmb "DEREGISTERED_EMB":
            "The patient left the country and has no practice.",
            "medical records: decide with the author who gets the letter";
        /// Rule R11c.
        DeregisteredTra "DEREGISTERED_TRA":
            "The patient's temporary registration ended and there is no practice.",
            "medical records: ask the patient for the practice";
        /// Rule R11c.
        DeregisteredOrr "DEREGISTERED_ORR":
            "The patient was removed from the practice's list; this also stands for the armed forces.",
            "medical records: ask the patient for the practice";
        /// Rule R11c.
        DeregisteredDea "DEREGISTERED_DEA":
            "The patient has died and is on no practice's list any more.",
            "medical records: decide with the author who gets the letter";
        /// Rule R11e.
        PracticePseudoCode "PRACTICE_PSEUDO_CODE":
            "The practice code stands for an unknown or missing practice; nobody can receive there.",
            "medical records: find the patient's practice";
        /// Rule R12.
        PracticeUnknown "PRACTICE_UNKNOWN":
            "The practice code is not in the practice table.",
            "service desk: load a fresh practice table; if it stays unknown, medical records correct the code";
        /// Rule R12b.
        PracticeClosedNoSuccessor "PRACTICE_CLOSED_NO_SUCCESSOR":
            "The practice is closed and no single declared successor in force leads to an open one.",
            "medical records: find where the patient registered, or declare the merger";
        /// Rule R12c.
        PracticeDormant "PRACTICE_DORMANT":
            "The practice is dormant and has no mailbox for this letter.",
            "medical records: ask the practice or the patient where letters go";
        /// Rule R12d.
        PracticeNotOpen "PRACTICE_NOT_OPEN":
            "The practice is not open yet.",
            "medical records: find the patient's practice of today";
        /// Rule R12e.
        PracticeNotGpType "PRACTICE_NOT_GP_TYPE":
            "The code belongs to a service at which patients are not registered, or is on the deny list.",
            "medical records: find the patient's practice";
        /// Rule R12f.
        PracticeSecureSetting "PRACTICE_SECURE_SETTING":
            "The practice serves a prison or another secure place, which needs a person's decision.",
            "information governance: decide whether and how the letter goes there";
        /// Rule R14.
        MeshMultipleMailboxes "MESH_MULTIPLE_MAILBOXES":
            "Several mailboxes take this letter for the practice, and no choice among them is configured.",
            "service desk: ask the practice and configure its mailbox";
        /// gp-routing section 15.
        RejectedNoNewRoute "REJECTED_NO_NEW_ROUTE":
            "The practice refused the letter and no other practice is known.",
            "medical records: find the patient's practice";
        /// gp-routing section 16.
        OdsStale "ODS_STALE":
            "The practice table is too old to be relied on alone.",
            "service desk: load a fresh practice table";
        /// No workflow is configured, so no lookup can be made.
        NoWorkflow "NO_WORKFLOW":
            "No MESH workflow is configured for this letter.",
            "service desk: configure the workflows of this class of letter";
        /// Rule R14 (a passing fault is retried within the due time: design section 9).
        MeshLookupFailed "MESH_LOOKUP_FAILED":
            "The mailbox lookup failed; this is no reason for paper.",
            "service desk: check the connection to MESH";
        /// Rule R6.
        JurisdictionScotland "JURISDICTION_SCOTLAND":
            "The number is of Scotland, which MESH does not reach.",
            "medical records: find the practice's address and post the letter";
        /// Rule R6.
        JurisdictionNi "JURISDICTION_NI":
            "The number is of Northern Ireland, which MESH does not reach.",
            "medical records: find the practice's address and post the letter";
        /// Rule R12g.
        JurisdictionIslands "JURISDICTION_ISLANDS":
            "The practice is in the Channel Islands, which MESH does not reach.",
            "medical records: post the letter to the practice";
        /// Rule R11c.
        DeregisteredSct "DEREGISTERED_SCT":
            "The patient moved to Scotland and has no practice here.",
            "medical records: find the practice in Scotland and post the letter";
        /// Rule R11c.
        DeregisteredNit "DEREGISTERED_NIT":
            "The patient moved to Northern Ireland and has no practice here.",
            "medical records: find the practice in Northern Ireland and post the letter";
        /// Rule R14.
        MeshNoMailbox "MESH_NO_MAILBOX":
            "No mailbox takes this letter for the practice.",
            "medical records: post the letter to the practice";
        /// Rule R15.
        DocTooLarge "DOC_TOO_LARGE":
            "The letter is larger than the receiver takes.",
            "medical records: post the letter to the practice";
        /// Rule R7.
        NeedDemographics "NEED_DEMOGRAPHICS":
            "The national record must be asked first.", "";
        /// Rule R14.
        NeedMailbox "NEED_MAILBOX":
            "MESH must be asked for the mailbox first.", "";
    }
}

codes! {
    /// What should be looked at although the decision stands.
    WarningCode {
        /// Rule R9.
        PdsSuperseded "PDS_SUPERSEDED":
            "The national record replaced the NHS number by another one; the hospital's record is to be merged.",
            "";
        /// Rule R11b.
        PatientDeceased "PATIENT_DECEASED":
            "The patient has died.", "";
        /// Rule R13.
        PasPracticeDiffers "PAS_PRACTICE_DIFFERS":
            "The hospital's record names another practice and is to be corrected.", "";
        /// Rule R12b.
        PracticeSucceeded "PRACTICE_SUCCEEDED":
            "The practice named is closed; its declared successor takes its place.", "";
        /// gp-routing section 16.
        PdsFromCache "PDS_FROM_CACHE":
            "The answer of the national record was kept from earlier the same day.", "";
        /// Rule R8.
        UsedPasFallback "USED_PAS_FALLBACK":
            "The national record was out of reach; the hospital's own practice was used.", "";
        /// gp-routing section 11.
        DueBreached "DUE_BREACHED":
            "The time by which the letter had to be there has passed.", "";
        /// Rule R12c.
        PracticeDormant "PRACTICE_DORMANT":
            "The practice is dormant, but its mailbox takes letters.", "";
        /// gp-routing section 3.1.
        BranchCode "BRANCH_CODE":
            "The code given is of a branch surgery; its practice takes the letter.", "";
        /// gp-routing section 9.2.
        DocLarge "DOC_LARGE":
            "The letter is large, and some practices may refuse it.", "";
        /// gp-routing section 16.
        OdsStale "ODS_STALE":
            "The practice table is old and should be refreshed.", "";
        /// gp-routing section 17.
        LetterKindUnknown "LETTER_KIND_UNKNOWN":
            "The kind of letter is unknown; the shortest due time was taken.", "";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn gp_routing_13_codes_are_distinct_and_sentences_whole() {
        let codes: BTreeSet<_> = ReasonCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), ReasonCode::ALL.len());
        assert!(
            ReasonCode::ALL
                .iter()
                .all(|code| code.meaning().ends_with('.'))
        );
        assert!(
            WarningCode::ALL
                .iter()
                .all(|code| code.meaning().ends_with('.'))
        );
    }

    #[test]
    fn gp_routing_13_every_code_of_the_facts_exists() {
        let ours: BTreeSet<_> = ReasonCode::ALL.iter().map(|code| code.as_str()).collect();
        let facts = "OK_REGISTERED_PRACTICE OK_CC_RECIPIENT OK_MANUAL_OVERRIDE GP_COPY_DECLINED \
            PATIENT_COPY_SUPPRESSED NOT_SIGNED_OFF DECLINE_UNEVIDENCED SENSITIVE_NEEDS_DECISION \
            NHSNO_MISSING NHSNO_INVALID NHSNO_SYNTHETIC NHSNO_UNVERIFIED PDS_NOT_FOUND \
            PDS_INVALIDATED PDS_DEMOGRAPHIC_MISMATCH PDS_RESTRICTED PDS_UNAVAILABLE \
            NO_REGISTERED_PRACTICE DEREGISTERED_EMB DEREGISTERED_TRA DEREGISTERED_ORR \
            DEREGISTERED_DEA PRACTICE_PSEUDO_CODE PRACTICE_UNKNOWN PRACTICE_CLOSED_NO_SUCCESSOR \
            PRACTICE_DORMANT PRACTICE_NOT_OPEN PRACTICE_NOT_GP_TYPE PRACTICE_SECURE_SETTING \
            MESH_MULTIPLE_MAILBOXES REJECTED_NO_NEW_ROUTE ODS_STALE JURISDICTION_SCOTLAND \
            JURISDICTION_NI JURISDICTION_ISLANDS DEREGISTERED_SCT DEREGISTERED_NIT \
            MESH_NO_MAILBOX MESH_LOOKUP_FAILED DOC_TOO_LARGE";
        for code in facts.split_whitespace() {
            assert!(ours.contains(code), "{code}");
        }
    }
}
