//! The suite. Every test starts a server of its own, on a port of its own, with a database of its own, and holds the
//! clock. None knows which database it is on: `JETON_TEST_DATABASE` says that to [`support`].

mod support;

mod rfc7662_introspection;
