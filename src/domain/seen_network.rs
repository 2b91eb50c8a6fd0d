//! From which networks a personal access token was used: for its owner, who knows where it should be.

use std::net::IpAddr;
use std::time::Duration;

use diesel::prelude::*;
use ipnet::IpNet;

use super::audit::{Event, What};
use super::grant::Grant;
use super::id::Id;
use super::letter::Letter;
use super::mail;
use super::personal_token::PersonalToken;
use super::tx::{Caller, Tx};
use crate::clock::Timestamp;
use crate::db::schema::{grant_networks, grants};
use crate::db::{Conn, Fault};

/// So many are kept of one token, those that were used last.
const KEPT: i64 = 50;
/// How long a network counts as a new one.
const NEW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A network from which a token was used.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = grant_networks)]
pub struct SeenNetwork {
    pub grant_id: Id,
    pub network: String,
    /// The last address in it.
    pub address: String,
    pub first_used_at: Timestamp,
    pub last_used_at: Timestamp,
}

/// The network that an address counts for: 256 addresses of IPv4, what one site has of IPv6.
pub fn network_of(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { 24 } else { 48 };
    let network = IpNet::new(address, length).unwrap_or(IpNet::from(address));
    network.trunc()
}

impl SeenNetwork {
    /// Note that a token of this grant was used from `address`. A network it never was used from is recorded, unless it is
    /// the first of all.
    pub fn note(tx: &mut Tx, grant: Id, address: IpAddr, at: Timestamp) -> Result<(), Fault> {
        let network = network_of(address).to_string();
        let written = (
            grant_networks::address.eq(address.to_canonical().to_string()),
            grant_networks::last_used_at.eq(at),
        );
        let known = grant_networks::table.find((grant, &network));
        let known = diesel::update(known).set(written.clone());
        if known.execute(&mut **tx)? > 0 {
            return Ok(());
        }
        // It may have been purged since.
        let Some(held) = Grant::find(tx, grant)? else {
            return Ok(());
        };
        let of_grant = grant_networks::table.filter(grant_networks::grant_id.eq(grant));
        let others: i64 = of_grant.count().get_result(&mut **tx)?;
        diesel::insert_into(grant_networks::table)
            .values((
                grant_networks::grant_id.eq(grant),
                grant_networks::network.eq(&network),
                grant_networks::first_used_at.eq(at),
                written,
            ))
            .execute(&mut **tx)?;
        if others == 0 {
            return Ok(());
        }
        if others >= KEPT {
            Self::forget_oldest(tx, grant)?;
        }
        let event = Event::new(What::TokenNewNetwork).grant(&held);
        let event = event
            .detail(&network)
            .by(Caller::system_from(Some(address)));
        let Some(token) = PersonalToken::of_grant(tx, held)? else {
            return Ok(tx.record(event)?);
        };
        tx.record(event.token(token.token.id))?;
        let (token, network) = (&token, network.as_str());
        match token.grant.user_id {
            Some(owner) => mail::tell(tx, owner, &Letter::NewNetwork { token, network }),
            None => Ok(()),
        }
    }

    fn forget_oldest(tx: &mut Tx, grant: Id) -> QueryResult<()> {
        let of_grant = grant_networks::table.filter(grant_networks::grant_id.eq(grant));
        let oldest: Vec<String> = of_grant
            .order(grant_networks::last_used_at.desc())
            .offset(KEPT)
            .limit(KEPT)
            .select(grant_networks::network)
            .load(&mut **tx)?;
        let gone = of_grant.filter(grant_networks::network.eq_any(oldest));
        diesel::delete(gone).execute(&mut **tx).map(drop)
    }

    /// Those of one grant, the last one first.
    pub fn of(conn: &mut Conn, grant: Id) -> QueryResult<Vec<SeenNetwork>> {
        grant_networks::table
            .filter(grant_networks::grant_id.eq(grant))
            .order((grant_networks::last_used_at.desc(), grant_networks::network))
            .select(SeenNetwork::as_select())
            .load(conn)
    }

    /// Those that became known lately of all tokens of `owner`, but for each token's first.
    pub fn new_of(conn: &mut Conn, owner: Id, now: Timestamp) -> QueryResult<Vec<SeenNetwork>> {
        let earlier = diesel::alias!(grant_networks as earlier);
        let before = earlier
            .filter(
                earlier
                    .field(grant_networks::grant_id)
                    .eq(grant_networks::grant_id),
            )
            .filter(
                earlier
                    .field(grant_networks::first_used_at)
                    .lt(grant_networks::first_used_at),
            );
        grant_networks::table
            .inner_join(grants::table)
            .filter(grants::user_id.eq(owner))
            .filter(grant_networks::first_used_at.gt(now - NEW))
            .filter(diesel::dsl::exists(before))
            .order(grant_networks::first_used_at.desc())
            .select(SeenNetwork::as_select())
            .load(conn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_for_its_site() {
        for (address, network) in [
            ("192.0.2.7", "192.0.2.0/24"),
            ("::ffff:192.0.2.7", "192.0.2.0/24"),
            ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(network_of(address).to_string(), network);
        }
    }
}
