use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use clinical_letter::{MllpDecoder, encode_frame};

use crate::{Acks, Letter, Site};

/// How long it waits for an answer; a real one waits longer, and would send again just the same.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it waits before it knocks again.
const KNOCK_EVERY: Duration = Duration::from_millis(3);
const ANSWER_MAX: usize = 64 * 1024;

/// A record system that hands letters over by folder and by MLLP, remembers what it was told,
/// and hands over again whatever it had no answer for.
#[derive(Debug)]
pub struct Source {
    /// Where the program listens for HL7 messages.
    pub listen: SocketAddr,
    handed: u32,
    unanswered: Option<Letter>,
    acks: Acks,
}

impl Source {
    /// A record system that has the letters from number `first` on.
    pub fn new(first: u32) -> Self {
        Self {
            listen: free_address(),
            handed: first,
            unanswered: None,
            acks: Acks::default(),
        }
    }

    /// What it handed over and was told up to now.
    pub const fn acks(&self) -> &Acks {
        &self.acks
    }

    /// The document that it had no answer for, and would send again.
    pub fn unanswered(&self) -> Option<&str> {
        self.unanswered
            .as_ref()
            .map(|letter| letter.number.as_str())
    }

    fn next_letter(&mut self) -> Letter {
        self.handed += 1;
        let letter = Letter::new(self.handed);
        self.acks.submit(&letter.number);
        letter
    }

    /// Puts a letter into the folder, durable, as a source that must not lose it does.
    pub fn put(&mut self, site: &Site) {
        let letter = self.next_letter();
        site.hand_over(&letter);
        let inbox = site.part("in");
        let written = File::open(inbox.join(letter.file_name()));
        // The program may have taken it already.
        if let Ok(written) = written {
            written.sync_all().unwrap();
        }
        File::open(inbox).unwrap().sync_all().unwrap();
    }

    /// Notes what was moved on in the folder: that is how a source there is told "taken".
    ///
    /// A name is reserved by an empty file, which a crash leaves behind: it says nothing.
    pub fn look_into(&mut self, site: &Site) {
        for name in site.names("taken") {
            let bytes = fs::metadata(site.part("taken").join(&name)).map_or(0, |about| about.len());
            if let Some((document, _)) = name.split_once(".txt").filter(|_| bytes > 0) {
                self.acks.acknowledge(document);
            }
        }
    }

    /// Sends up to so many letters over MLLP until it is told to stop; what was cut off is sent
    /// again first, as it was.
    pub fn send(&mut self, letters: u32, stop: &AtomicBool) {
        let mut left = letters;
        while left > 0 && !stop.load(Ordering::Relaxed) {
            match TcpStream::connect(self.listen) {
                Ok(stream) => {
                    // A connection that breaks is opened anew.
                    let _ = self.converse(stream, &mut left, stop);
                }
                Err(_) => sleep(KNOCK_EVERY),
            }
        }
    }

    fn converse(
        &mut self,
        mut stream: TcpStream,
        left: &mut u32,
        stop: &AtomicBool,
    ) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        while *left > 0 && !stop.load(Ordering::Relaxed) {
            let letter = match self.unanswered.take() {
                Some(letter) => letter,
                None => self.next_letter(),
            };
            let answer = exchange(&mut stream, &letter);
            match answer.as_deref() {
                Ok("AA") => {
                    self.acks.acknowledge(&letter.number);
                    *left -= 1;
                }
                Ok("AE") => {
                    self.unanswered = Some(letter);
                    sleep(KNOCK_EVERY);
                }
                Ok(other) => panic!("{} was answered {other}", letter.number),
                Err(_) => {
                    self.unanswered = Some(letter);
                    return answer.map(drop);
                }
            }
        }
        Ok(())
    }

    /// Sends one letter over MLLP, the one that was not acknowledged last time if there is such a
    /// one, and gives the code of the answer.
    ///
    /// # Errors
    ///
    /// What the connection said, when there was no answer.
    pub fn send_one(&mut self) -> io::Result<String> {
        let letter = match self.unanswered.take() {
            Some(letter) => letter,
            None => self.next_letter(),
        };
        let stream = TcpStream::connect(self.listen);
        let answer = stream.and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            exchange(&mut stream, &letter)
        });
        if answer.as_ref().is_ok_and(|code| code == "AA") {
            self.acks.acknowledge(&letter.number);
        } else {
            self.unanswered = Some(letter);
        }
        answer
    }
}

/// Sends a letter and gives the code of its acknowledgement.
fn exchange(stream: &mut TcpStream, letter: &Letter) -> io::Result<String> {
    let message = letter.to_hl7("T02", &format!("C{}", letter.number));
    stream.write_all(&encode_frame(&message))?;
    let mut decoder = MllpDecoder::new(ANSWER_MAX);
    let mut buffer = [0; 1024];
    loop {
        if let Some(Ok(frame)) = decoder.next_frame() {
            let answer = String::from_utf8_lossy(&frame.message).into_owned();
            let mut segments = answer.split('\r');
            let said = segments.find_map(|segment| segment.strip_prefix("MSA|"));
            let code = said.and_then(|said| said.split('|').next());
            return Ok(code.unwrap_or("no MSA").to_owned());
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => decoder.push(&buffer[..count]),
        }
    }
}

/// Ports below those that the system gives to outgoing connections: a program that is started
/// again and again finds its port free each time.
const PORTS: std::ops::Range<u32> = 12_000..32_000;

/// An address that nobody listens on.
pub fn free_address() -> SocketAddr {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let count = PORTS.end - PORTS.start;
    let own = std::process::id().wrapping_mul(61);
    let candidates = (0..count).map(|_| {
        let n = own.wrapping_add(LAST.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(PORTS.start + n % count).unwrap();
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    });
    let mut free = candidates.filter(|address| TcpListener::bind(address).is_ok());
    free.next().expect("a free port")
}
