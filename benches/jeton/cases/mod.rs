//! The cases, one a file.

pub mod flood;
pub mod forward_auth;
pub mod introspection;
pub mod start;
pub mod storm;
pub mod writing;

use std::path::Path;

use crate::Result;
use crate::args::Args;
use crate::bare::Bare;
use crate::house::House;
use crate::http::Answer;
use crate::node::Node;
use crate::store::Store;

pub const INTROSPECT: &str = "/oauth/introspect";
pub const TOKEN: &str = "/oauth/token";
pub const FORWARD_AUTH: &str = "/forward-auth/notes";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// What every case needs.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub args: &'a Args,
    /// For files that are needed only now.
    pub folder: &'a Path,
    pub store: &'a Store,
    pub house: &'a House,
}

impl Ground<'_> {
    /// So many nodes on this database.
    fn serve(&self, count: usize, settings: &[(&str, &str)]) -> Result<Vec<Node>> {
        self.store.warm(&self.house.name)?;
        let url = self.store.url(&self.house.name);
        let node = |_| Node::serve(&url, self.folder, settings)?.listening();
        (0..count).map(node).collect()
    }

    /// A bare handler that answers as the server does.
    fn bare(&self, answer: &Answer, needs: &str, path: &str) -> Result<Node> {
        let bare = Bare {
            path: path.to_owned(),
            needs: needs.to_owned(),
            status: answer.status,
            headers: answer.headers.clone(),
            body: answer.body.clone(),
        };
        Node::bare(&bare, self.folder)
    }
}

fn stop(nodes: Vec<Node>) -> Result<()> {
    nodes.into_iter().try_for_each(Node::stop)
}
