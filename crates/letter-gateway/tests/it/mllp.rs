//! HL7 v2 over MLLP (source-documents facts 6).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clinical_letter::encode_frame;
use letter_delivery::LetterState;
use letter_gateway::{GatewayError, Mllp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::support::letters::{Message, report};
use crate::support::{SOURCE, World};
use letter_delivery::testkit::Trouble;

pub(crate) struct Line {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Line {
    pub(crate) async fn open(world: &World) -> Self {
        Self::with(world, |_| {}).await
    }

    async fn with(world: &World, change: impl FnOnce(&mut Mllp)) -> Self {
        let mut mllp = Mllp::new(SOURCE, ([127, 0, 0, 1], 0).into());
        change(&mut mllp);
        let listener = mllp.open().await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(Arc::clone(&world.gateway).serve(listener, mllp));
        Self { address, serving }
    }

    pub(crate) async fn call(&self) -> Call {
        Call(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends a message on a connection of its own, and gives the answer's code.
    pub(crate) async fn tell(&self, message: &[u8]) -> String {
        let mut call = self.call().await;
        call.say(&encode_frame(message)).await;
        call.answer().await
    }
}

pub(crate) struct Call(TcpStream);

impl Call {
    async fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The whole answer, or nothing when the connection was closed.
    async fn hear(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\x1c\r") {
            match tokio::time::timeout(Duration::from_secs(10), self.0.read_u8()).await {
                Ok(Ok(byte)) => bytes.push(byte),
                Ok(Err(_)) => return None,
                Err(_) => panic!("no answer came"),
            }
        }
        Some(String::from_utf8(bytes).unwrap())
    }

    /// `AA CTL0001`: the code and the control id it answers.
    async fn answer(&mut self) -> String {
        let answer = self.hear().await.expect("an answer");
        let msa = answer
            .split('\r')
            .find(|line| line.starts_with("MSA"))
            .unwrap();
        let fields: Vec<&str> = msa.split('|').collect();
        format!(
            "{} {}",
            fields[1],
            fields.get(2).copied().unwrap_or_default()
        )
    }
}

#[tokio::test]
async fn section_6_aa_comes_when_the_letter_is_durable_and_again_for_a_duplicate() {
    let world = World::new().await;
    let line = Line::open(&world).await;
    let message = Message::new("1118-1001", "Rest");
    assert_eq!(line.tell(&message.bytes()).await, "AA CTL0001");
    assert_eq!(world.letter().state, LetterState::Parsed);
    assert_eq!(line.tell(&message.bytes()).await, "AA CTL0001");
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test]
async fn section_6_aa_for_what_is_held() {
    let world = World::new().await;
    let line = Line::open(&world).await;
    let mut message = Message::new("1118-1001", "Rest");
    message.nhs_number = "9990581399";
    assert_eq!(line.tell(&message.bytes()).await, "AA CTL0001");
    assert_eq!(world.letter().state, LetterState::Held);
}

#[tokio::test]
async fn section_6_ae_while_the_store_is_unavailable_and_aa_when_it_is_back() {
    let world = World::new().await;
    let line = Line::open(&world).await;
    let message = Message::new("1118-1001", "Rest").bytes();
    world.store.set(Trouble::Unavailable);
    assert_eq!(line.tell(&message).await, "AE CTL0001");
    assert_eq!(
        line.tell(b"no HL7").await,
        "AE ",
        "a refusal must be noted, too"
    );
    assert_eq!(world.letters().len(), 0);
    world.store.set(Trouble::None);
    assert_eq!(line.tell(&message).await, "AA CTL0001");
}

#[tokio::test]
async fn section_6_ar_for_what_can_never_be_accepted_and_the_ledger_says_so() {
    let world = World::new().await;
    let line = Line::open(&world).await;
    let mut unknown = Message::new("1118-1001", "Rest");
    unknown.event = "T99";
    assert_eq!(line.tell(&unknown.bytes()).await, "AR CTL0001");
    let text = report("D-1", "Rest");
    assert_eq!(
        line.tell(text.as_bytes()).await,
        "AR ",
        "a report is not HL7"
    );
    assert_eq!(line.tell(b"").await, "AR ");
    assert_eq!(
        (world.letters().len(), world.count("intake.refused")),
        (0, 3)
    );
}

#[tokio::test]
async fn section_6_several_frames_on_one_connection_are_answered_in_order() {
    let world = World::new().await;
    let line = Line::open(&world).await;
    let mut call = line.call().await;
    let mut two = Message::new("B-2", "Two");
    two.control = "CTL0002";
    let frames = [
        encode_frame(&Message::new("B-1", "One").bytes()),
        encode_frame(&two.bytes()),
    ];
    call.say(&frames.concat()).await;
    assert_eq!(
        [call.answer().await, call.answer().await],
        ["AA CTL0001", "AA CTL0002"]
    );
    call.say(&frames[0]).await;
    assert_eq!(call.answer().await, "AA CTL0001");
    assert_eq!(world.letters().len(), 2);
}

#[tokio::test]
async fn section_6_a_frame_may_come_in_any_pieces_and_lack_its_last_byte() {
    let world = World::new().await;
    let line = Line::open(&world).await;
    let mut call = line.call().await;
    let frame = encode_frame(&Message::new("B-1", "One").bytes());
    for piece in frame[..frame.len() - 1].chunks(97) {
        call.say(piece).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(call.answer().await, "AA CTL0001");
    call.say(b"\r").await;
    call.say(&frame).await;
    assert_eq!(
        call.answer().await,
        "AA CTL0001",
        "the late byte harms nothing"
    );
}

#[tokio::test]
async fn section_6_a_frame_cut_off_is_neither_taken_nor_answered() {
    let world = World::new().await;
    let line = Line::open(&world).await;
    let mut call = line.call().await;
    let frame = encode_frame(&Message::new("B-1", "One").bytes());
    call.say(&frame[..frame.len() - 2]).await;
    call.0.shutdown().await.unwrap();
    assert_eq!(call.hear().await, None);
    assert_eq!(world.ledger().len(), 0);
}

#[tokio::test]
async fn limits_a_frame_at_the_limit_and_past_it() {
    let world = World::new().await;
    let message = Message::new("B-1", "One").bytes();
    let most = message.len();
    let line = Line::with(&world, |mllp| mllp.frame_max = most).await;
    assert_eq!(line.tell(&message).await, "AA CTL0001");
    let mut call = line.call().await;
    call.say(&encode_frame(&[message.as_slice(), b"Z"].concat()))
        .await;
    assert_eq!(call.answer().await, "AR ");
    call.say(&encode_frame(&message)).await;
    assert_eq!(
        call.answer().await,
        "AA CTL0001",
        "the next frame is read again"
    );
    assert_eq!(world.count("intake.refused"), 1);
}

#[tokio::test]
async fn limits_a_silent_connection_is_closed_and_its_place_is_free_again() {
    let world = World::new().await;
    let line = Line::with(&world, |mllp| {
        mllp.idle_max = Duration::from_millis(60);
        mllp.connections_max = 1;
    })
    .await;
    let mut silent = line.call().await;
    let begun = std::time::Instant::now();
    let answered = line.tell(&Message::new("B-1", "One").bytes()).await;
    assert_eq!(answered, "AA CTL0001");
    assert!(
        begun.elapsed() >= Duration::from_millis(50),
        "one at a time"
    );
    assert_eq!(silent.hear().await, None);
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let world = World::new().await;
    let line = Line::open(&world).await;
    let error = Mllp::new(SOURCE, line.address).open().await.unwrap_err();
    assert!(matches!(error, GatewayError::Listen { .. }));
    assert!(
        error.to_string().contains(&line.address.to_string()),
        "{error}"
    );
}
