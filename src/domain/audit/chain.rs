//! The chain that seals the trail. A moment after their commit events get a number each and a digest over the digest
//! before and all that stands in them, so that none can be changed, removed or put between without leaving a mark.
//!
//! Who may write to the database can make the whole chain anew. So its head is logged and can be printed: noted elsewhere,
//! it holds all that was sealed before it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Binary;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::{Entry, Event, What};
use crate::clock::Timestamp;
use crate::db::column::column;
use crate::db::schema::{audit_events, audit_progress};
use crate::db::{self, Conn, EventSeal, Fault};
use crate::domain::id::Id;
use crate::domain::tx::Tx;

/// The one row of `audit_progress`.
const ROW: i32 = 1;
/// Events that are looked at together by [`verify`].
const BATCH: i64 = 1000;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The digest of an event and of all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Binary)]
pub struct Hash([u8; 32]);

column!(Hash: Binary, [u8] as Vec<u8>, |hash| hash.0.as_slice(), |bytes| Ok(Hash(bytes.as_slice().try_into()?)));

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Hash {
    fn schema_name() -> Cow<'static, str> {
        "Hash".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9a-f]{64}$"})
    }
}

/// An end of the chain: the number and the digest of an event. Written as `1234:9f86d0…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: Hash,
}

impl Head {
    /// The head of the chain once `entry`, which has its number, is sealed onto it.
    fn then(self, entry: &Entry) -> Head {
        let digest = Sha256::new()
            .chain_update(self.hash.0)
            .chain_update(entry.encoded());
        Head {
            seq: self.seq + 1,
            hash: Hash(digest.finalize().into()),
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (seq, hex) = text.split_once(':')?;
            let mut hash = [0; 32];
            if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            for (index, byte) in hash.iter_mut().enumerate() {
                *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).ok()?;
            }
            let hash = Hash(hash);
            let seq = seq.parse().ok().filter(|seq| *seq >= 0)?;
            Some(Head { seq, hash })
        };
        read().ok_or("a head is a number, a colon and 64 hexadecimal digits, as `jeton audit head` prints it")
    }
}

/// How far sealing and purging have come.
#[derive(Debug, Clone, Copy, Queryable, Selectable)]
#[diesel(table_name = audit_progress)]
struct Progress {
    sealed_seq: i64,
    sealed_hash: Hash,
    purged_seq: i64,
    purged_hash: Hash,
}

impl Progress {
    fn load(conn: &mut Conn) -> QueryResult<Self> {
        audit_progress::table
            .find(ROW)
            .select(Progress::as_select())
            .get_result(conn)
    }

    fn sealed(&self) -> Head {
        Head {
            seq: self.sealed_seq,
            hash: self.sealed_hash,
        }
    }

    fn purged(&self) -> Head {
        Head {
            seq: self.purged_seq,
            hash: self.purged_hash,
        }
    }
}

/// The last event that is sealed, and how many are not yet.
pub fn head(conn: &mut Conn) -> QueryResult<(Head, i64)> {
    let unsealed = audit_events::table.filter(audit_events::seq.is_null());
    Ok((
        Progress::load(conn)?.sealed(),
        unsealed.count().get_result(conn)?,
    ))
}

/// Seal up to `limit` events; how many there were, and the head now. Where another node is at it, none.
pub fn seal(tx: &mut Tx, limit: i64) -> Result<(usize, Head), Fault> {
    let alone = db::seals_alone(tx)?;
    let before = Progress::load(tx)?.sealed();
    if !alone {
        return Ok((0, before));
    }
    let mut entries = Entry::unsealed(tx, limit)?;
    let mut head = before;
    for entry in &mut entries {
        entry.seq = Some(head.seq + 1);
        head = head.then(entry);
        entry.hash = Some(head.hash);
    }
    if entries.is_empty() {
        return Ok((0, head));
    }
    let seals = entries.iter().zip(before.seq + 1..);
    let seals: Vec<EventSeal> = seals
        .map(|(entry, seq)| EventSeal {
            id: entry.id.as_bytes(),
            seq,
            hash: entry.hash.as_ref().map_or(&[][..], |hash| &hash.0[..]),
        })
        .collect();
    let sealed = db::seal_events(tx, &seals)?;
    // Where the lock was none, this is: of two that go on from one head, one changes no row.
    let from_here = audit_progress::table
        .find(ROW)
        .filter(audit_progress::sealed_seq.eq(before.seq));
    let moved = diesel::update(from_here)
        .set((
            audit_progress::sealed_seq.eq(head.seq),
            audit_progress::sealed_hash.eq(head.hash),
        ))
        .execute(&mut **tx)?;
    if (sealed, moved) != (entries.len(), 1) {
        return Err(Fault::Broken("somebody else sealed the audit trail"));
    }
    Ok((sealed, head))
}

/// Remove up to `limit` sealed events that are older than the policy keeps them, from the beginning of the chain on, and
/// record that. Its beginning is noted, so that the rest can be verified.
pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
    let Some(kept) = tx.policy.lifetimes.audit else {
        return Ok(0);
    };
    // By whole days: else every minute would have a few to remove, and a record of that.
    let day = (tx.now - kept).millis().div_euclid(DAY);
    let until = Timestamp::from_millis(day * DAY);
    let oldest = Entry::sealed_after(tx, 0, limit)?;
    let over = oldest.iter().take_while(|entry| entry.at < until);
    let ends = over.filter_map(|entry| Some((entry.seq?, entry.hash?)));
    let Some((seq, hash)) = ends.last() else {
        return Ok(0);
    };
    let over = audit_events::table.filter(audit_events::seq.le(seq));
    let removed = diesel::delete(over).execute(&mut **tx)?;
    diesel::update(audit_progress::table.find(ROW))
        .set((
            audit_progress::purged_seq.eq(seq),
            audit_progress::purged_hash.eq(hash),
        ))
        .execute(&mut **tx)?;
    let last = Head { seq, hash };
    tx.record(Event::new(What::AuditPurged).detail(last.to_string()))?;
    Ok(removed)
}

/// A trail in which all fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The last event that was purged: the chain begins after it.
    pub purged: Head,
    pub head: Head,
    /// Events that are too new to be sealed.
    pub unsealed: i64,
}

/// The first thing that does not fit.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    #[error(
        "event {seq} ({id}) does not fit onto the one before it: it was changed, or another was put in its place"
    )]
    Changed { seq: i64, id: Id },
    #[error("event {0} is missing: it was removed")]
    Missing(i64),
    #[error("event {seq} ({id}) was put in: {why}")]
    Added { seq: i64, id: Id, why: &'static str },
    #[error("the noted end of the chain, {0}, is not that of its last event: it was made anew")]
    End(Head),
    #[error("the events up to {0} are gone, and the trail does not say that they were purged")]
    Unpurged(i64),
    #[error(
        "the trail ends at event {end}, and the head {known} was after that: events were removed, or this is another trail"
    )]
    Behind { end: i64, known: i64 },
    #[error("event {0} is not what it was when that head was noted: the chain was made anew")]
    OtherHead(i64),
    #[error("event {0} is purged, so a head that was noted there says nothing any more")]
    TooOld(i64),
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Flaw);

/// See whether every sealed event is as it was sealed and none is missing or added, as far as the chain tells, and whether
/// the chain has led through the head that was `known` elsewhere. One moment's events, in bounded memory.
pub fn verify(conn: &mut Conn, known: Option<Head>) -> Result<Verified, Flaw> {
    db::in_one_moment(conn, |conn| {
        let progress = Progress::load(conn)?;
        let (purged, end) = (progress.purged(), progress.sealed());
        check_purged(conn, purged)?;
        check_known(known, purged, purged, end)?;
        let mut head = purged;
        let mut after = i64::MIN;
        loop {
            let batch = Entry::sealed_after(conn, after, BATCH)?;
            for entry in &batch {
                head = follow(head, entry, end)?;
                check_known(known, head, purged, end)?;
            }
            match batch.last().and_then(|entry| entry.seq) {
                Some(seq) => after = seq,
                None => break,
            }
        }
        if head.seq < end.seq {
            return Err(Flaw::Missing(head.seq + 1));
        }
        if head != end {
            return Err(Flaw::End(end));
        }
        let (_, unsealed) = self::head(conn)?;
        Ok(Verified {
            purged,
            head,
            unsealed,
        })
    })
}

/// Go on from `head` to the next event of the chain.
fn follow(head: Head, entry: &Entry, end: Head) -> Result<Head, Flaw> {
    let (seq, id) = (entry.seq.unwrap_or_default(), entry.id);
    let added = |why| Flaw::Added { seq, id, why };
    if seq <= head.seq {
        return Err(added("the chain begins later"));
    }
    if seq > end.seq {
        return Err(added("the chain ends before"));
    }
    if seq > head.seq + 1 {
        return Err(Flaw::Missing(head.seq + 1));
    }
    let next = head.then(entry);
    if entry.hash != Some(next.hash) {
        return Err(Flaw::Changed { seq, id });
    }
    Ok(next)
}

/// Where the chain is at `head`, compare it with a head that is known.
fn check_known(known: Option<Head>, head: Head, purged: Head, end: Head) -> Result<(), Flaw> {
    match known {
        Some(known) if known.seq < purged.seq => Err(Flaw::TooOld(known.seq)),
        Some(known) if known.seq > end.seq => Err(Flaw::Behind {
            end: end.seq,
            known: known.seq,
        }),
        Some(known) if known.seq == head.seq && known != head => Err(Flaw::OtherHead(known.seq)),
        _ => Ok(()),
    }
}

/// Who removes the beginning and moves the checkpoint has left out to say so in the trail, or has said it there for
/// everybody to read.
fn check_purged(conn: &mut Conn, purged: Head) -> Result<(), Flaw> {
    let said = audit_events::table
        .filter(audit_events::event.eq(What::AuditPurged.as_str()))
        .filter(audit_events::detail.eq(purged.to_string()))
        .count()
        .get_result::<i64>(conn)?;
    if purged.seq > 0 && said == 0 {
        return Err(Flaw::Unpurged(purged.seq));
    }
    Ok(())
}
