//! The network between the server and its database, which a test can cut, and can make swallow everything.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use url::Url;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Cut,
    Silent,
    Gone,
}

/// A wire to a PostgreSQL server.
pub struct Wire {
    /// The database's URL by this wire.
    pub url: String,
    here: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    ends: Mutex<Vec<TcpStream>>,
}

impl Wire {
    /// A wire to the server in this URL.
    pub fn to(url: &str) -> Self {
        let mut url = Url::parse(url).expect("a URL");
        let there = url.socket_addrs(|| None).expect("an address")[0];
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let here = listener.local_addr().expect("it is bound");
        url.set_port(Some(here.port())).expect("it has a host");
        let inner = Arc::new(Inner {
            state: Mutex::new(State::Whole),
            ends: Mutex::default(),
        });
        let taking = inner.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                match taking.state() {
                    State::Gone => return,
                    State::Cut => drop(near),
                    _ => taking.join(near, there),
                }
            }
        });
        Self {
            url: url.to_string(),
            here,
            inner,
        }
    }

    /// End all connections, and every new one at once.
    pub fn cut(&self) {
        self.inner.turn(State::Cut);
        self.inner.hang_up();
    }

    /// From now on nothing arrives, and nobody is told: what is sent is taken and thrown away.
    pub fn fall_silent(&self) {
        self.inner.turn(State::Silent);
    }

    /// Let new connections through. What was swallowed is lost, and so are the connections it was sent on.
    pub fn mend(&self) {
        self.inner.hang_up();
        self.inner.turn(State::Whole);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.inner.turn(State::Gone);
        self.inner.hang_up();
        // Whoever waits for the next connection is to see that it is over.
        let _ = TcpStream::connect(self.here);
    }
}

impl Inner {
    fn state(&self) -> State {
        *self.state.lock().unwrap()
    }

    fn turn(&self, state: State) {
        *self.state.lock().unwrap() = state;
    }

    fn hang_up(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    fn join(self: &Arc<Self>, near: TcpStream, there: SocketAddr) {
        let Ok(far) = TcpStream::connect(there) else {
            return;
        };
        let copy = |end: &TcpStream| end.try_clone().expect("a socket can be shared");
        self.ends.lock().unwrap().extend([copy(&near), copy(&far)]);
        for (from, to) in [(copy(&near), copy(&far)), (far, near)] {
            let inner = self.clone();
            std::thread::spawn(move || inner.carry(from, to));
        }
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut piece = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if self.state() == State::Whole && to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}
