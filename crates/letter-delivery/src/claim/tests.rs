use super::*;

const NOW: i64 = 1_770_113_400;

fn at(seconds_ago: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(NOW - seconds_ago, 0).unwrap()
}

fn mailbox(number: u8) -> MailboxId {
    MailboxId::parse(&format!("A81{number:03}OT001")).unwrap()
}

fn stream(number: u8) -> StreamKey {
    StreamKey::from_bytes([number; 16])
}

/// Numbered pieces with the seconds that each has been due.
fn sends(lane: Lane, to: u8, pieces: &[(u8, i64)]) -> Line {
    let first = pieces
        .iter()
        .map(|(number, ago)| (stream(*number), at(*ago)));
    Line::new(lane, WorkKind::Send, Some(mailbox(to)), first.collect())
}

fn prepares(lane: Lane, pieces: &[(u8, i64)]) -> Line {
    let first = pieces
        .iter()
        .map(|(number, ago)| (stream(*number), at(*ago)));
    Line::new(lane, WorkKind::Prepare, None, first.collect())
}

fn request(hands: u8) -> ClaimRequest {
    let tokens = (0..hands).map(|byte| LeaseToken::from_random([byte; 16]));
    let mut request = ClaimRequest::new(at(0), at(-180), tokens.collect());
    request.fresh_since = at(300);
    request
}

fn chosen(request: &ClaimRequest, lines: &[Line]) -> Vec<u8> {
    chosen_beside(request, lines, &[])
}

fn chosen_beside(request: &ClaimRequest, lines: &[Line], in_flight: &[(u8, usize)]) -> Vec<u8> {
    let in_flight = in_flight.iter().map(|(to, n)| (mailbox(*to), *n));
    let chosen = request.choose(lines, &in_flight.collect());
    chosen.iter().map(|stream| stream.as_bytes()[0]).collect()
}

#[test]
fn audit_4_6_today_goes_before_replay_however_long_that_has_waited() {
    let lines = [
        sends(Lane::Replay, 1, &[(1, 9000)]),
        sends(Lane::Today, 1, &[(2, 1)]),
        prepares(Lane::Today, &[(3, 0)]),
    ];
    assert_eq!(chosen(&request(2), &lines), [2, 3]);
    assert_eq!(chosen(&request(3), &lines), [2, 3, 1]);
}

#[test]
fn audit_4_6_replay_gets_its_share_and_no_more_than_today_leaves() {
    let replay: Vec<Line> = (1..=8)
        .map(|n| sends(Lane::Replay, n, &[(n, 60)]))
        .collect();
    let mut half = request(8);
    half.replay = 4;
    assert_eq!(chosen(&half, &replay), [1, 2, 3, 4]);
    let mut lines = replay;
    lines.extend((11..=16).map(|n| sends(Lane::Today, n, &[(n, 1)])));
    assert_eq!(chosen(&half, &lines), [11, 12, 13, 14, 15, 16, 1, 2]);
}

#[test]
fn what_is_fresh_overtakes_what_an_outage_left() {
    let late: Vec<(u8, i64)> = (1..=9).map(|n| (n, 5000 - i64::from(n))).collect();
    let lines = [
        sends(Lane::Today, 1, &late),
        sends(Lane::Today, 2, &[(21, 299)]),
        sends(Lane::Today, 3, &[(31, 301)]),
    ];
    assert_eq!(chosen(&request(4), &lines), [21, 1, 31, 2]);
    let mut with_a_free_hand = request(4);
    with_a_free_hand.waited = 2;
    assert_eq!(chosen(&with_a_free_hand, &lines), [21, 1, 31]);
}

#[test]
fn the_time_at_which_work_is_late_is_exact() {
    let of = |ago| Turn::of(Lane::Today, at(ago), at(300));
    assert_eq!(
        [of(299), of(300), of(301)],
        [Turn::Fresh, Turn::Fresh, Turn::Late]
    );
    assert_eq!(Turn::of(Lane::Replay, at(0), at(300)), Turn::Replay);
}

#[test]
fn audit_4_6_a_long_line_delays_no_other() {
    let long: Vec<(u8, i64)> = (1..=9).map(|n| (n, 200 - i64::from(n))).collect();
    let lines = [
        sends(Lane::Today, 1, &long),
        sends(Lane::Today, 2, &[(21, 5)]),
        prepares(Lane::Today, &[(31, 6), (32, 4)]),
    ];
    assert_eq!(chosen(&request(6), &lines), [1, 31, 21, 2, 32, 3]);
}

#[test]
fn audit_4_6_in_flight_limit_of_a_destination_counts_both_lanes_and_other_workers() {
    let mut four = request(9);
    four.per_destination = 4;
    let lines = [
        sends(Lane::Today, 1, &[(1, 9), (2, 8), (3, 7), (4, 6)]),
        sends(Lane::Replay, 1, &[(5, 9), (6, 8)]),
    ];
    assert_eq!(chosen(&four, &lines), [1, 2, 3, 4]);
    assert_eq!(chosen_beside(&four, &lines[1..], &[(1, 3)]), [5]);
    assert_eq!(chosen_beside(&four, &lines, &[(1, 4)]), [0; 0]);
    assert_eq!(chosen_beside(&four, &lines[1..], &[(2, 4)]), [5, 6]);
}

#[test]
fn audit_4_6_pace_takes_one_of_a_destination_at_a_time() {
    let mut paced = request(9);
    paced.replay_apart = Some(Duration::minutes(1));
    let lines = [
        sends(Lane::Replay, 1, &[(1, 9), (2, 8)]),
        sends(Lane::Replay, 2, &[(3, 7)]),
        sends(Lane::Today, 1, &[(4, 6), (5, 5)]),
    ];
    assert_eq!(chosen(&paced, &lines), [4, 5, 1, 3]);
}

#[test]
fn audit_4_6_places_of_a_line() {
    let mut request = request(9);
    request.per_destination = 4;
    request.replay_apart = Some(Duration::minutes(1));
    let to = mailbox(1);
    let places = |lane, in_flight, last: Option<i64>| {
        request.places(lane, Some(&to), in_flight, last.map(at))
    };
    assert_eq!(
        [0, 3, 4, 5].map(|n| places(Lane::Today, n, None)),
        [4, 1, 0, 0]
    );
    assert_eq!(places(Lane::Today, 0, Some(0)), 4, "today has no pace");
    assert_eq!(places(Lane::Replay, 0, None), 1);
    assert_eq!(places(Lane::Replay, 0, Some(60)), 1);
    assert_eq!(places(Lane::Replay, 0, Some(59)), 0);
    assert_eq!(places(Lane::Replay, 4, Some(60)), 0);
    assert_eq!(request.places(Lane::Replay, None, 9, Some(at(0))), 9);
}

#[test]
fn audit_4_4_an_open_breaker_leaves_what_needs_the_transport_alone() {
    let lines = [
        sends(Lane::Today, 1, &[(1, 9), (2, 8)]),
        Line::new(Lane::Today, WorkKind::Ask, None, vec![(stream(3), at(7))]),
        prepares(Lane::Today, &[(4, 6), (5, 5)]),
    ];
    let mut open = request(9);
    open.transport = 0;
    assert_eq!(chosen(&open, &lines), [4, 5]);
    open.transport = 1;
    assert_eq!(chosen(&open, &lines), [1, 4, 5], "one goes as a probe");
}

#[test]
fn no_more_is_chosen_than_there_are_tokens() {
    let lines = [prepares(Lane::Today, &[(1, 3), (2, 2), (3, 1)])];
    assert_eq!(chosen(&request(2), &lines), [1, 2]);
    assert_eq!(chosen(&request(0), &lines), [0; 0]);
}
