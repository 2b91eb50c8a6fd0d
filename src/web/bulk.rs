//! Doing something with all tokens that a search finds, some at a time: each question and each change is short, and others
//! get their turn in between.

use crate::app::App;
use crate::domain::id::Id;
use crate::domain::personal_token::filter::Search;
use crate::domain::personal_token::order::Position;
use crate::domain::personal_token::search::{Found, NotSearched, Page};

/// Questions that are asked for one page of a list.
const QUESTIONS: usize = 10;
/// Counting for a list goes no further than this.
const COUNTED: i64 = 10_000;

/// How many fit.
#[derive(Debug, Clone, Copy)]
pub struct Total {
    pub count: i64,
    /// Whether these are all; otherwise there are so many at least.
    pub is_exact: bool,
}

/// The next tokens that fit. So many are looked at that there may be few among them, or none, and still a next page.
pub async fn page(app: &App, search: &Search) -> Result<Page, NotSearched> {
    let (now, mut items, mut next) = (app.now(), vec![], search.from);
    for _ in 0..QUESTIONS {
        let asked = Search {
            from: next,
            limit: search.limit - items.len(),
            ..search.clone()
        };
        let page = app.read(move |rx| asked.page(rx, now)).await?;
        items.extend(page.items);
        next = page.next;
        if next.is_none() || items.len() >= search.limit {
            break;
        }
    }
    Ok(Page { items, next })
}

/// How many fit in all, as far as it is counted for a list.
pub async fn total(app: &App, search: &Search) -> Result<Total, NotSearched> {
    let (mut count, mut from) = (0, None);
    for _ in 0..QUESTIONS {
        let (more, next) = count_more(app, search, from).await?;
        (count, from) = (count + more, next);
        if next.is_none() || count >= COUNTED {
            break;
        }
    }
    Ok(Total {
        count,
        is_exact: from.is_none(),
    })
}

/// How many fit just now, however many.
pub async fn count(app: &App, search: &Search) -> Result<i64, NotSearched> {
    let (mut count, mut from) = (0, None);
    loop {
        let (more, next) = count_more(app, search, from).await?;
        (count, from) = (count + more, next);
        if next.is_none() {
            return Ok(count);
        }
    }
}

async fn count_more(
    app: &App,
    search: &Search,
    from: Option<Position>,
) -> Result<(i64, Option<Position>), NotSearched> {
    let (now, search) = (app.now(), search.clone());
    Ok(app.query(move |rx| search.count(rx, from, now)).await?)
}

/// The first `most` that fit.
pub async fn first(app: &App, search: &Search, most: usize) -> Result<Vec<Found>, NotSearched> {
    let mut pages = Pages::of(app, search);
    let mut found = vec![];
    while let Some(more) = pages.next().await? {
        found.extend(more);
        if found.len() >= most {
            break;
        }
    }
    found.truncate(most);
    Ok(found)
}

/// Have `end` end all that fit, by their grants; how many it has ended.
pub async fn revoke<E: From<NotSearched>>(
    app: &App,
    search: &Search,
    end: impl AsyncFn(Vec<Id>) -> Result<usize, E>,
) -> Result<usize, E> {
    let mut pages = Pages::of(app, search);
    let mut ended = 0;
    while let Some(found) = pages.next().await? {
        let grants: Vec<Id> = found.iter().map(|found| found.token.grant.id).collect();
        if !grants.is_empty() {
            ended += end(grants).await?;
        }
    }
    Ok(ended)
}

/// What fits, page by page. A page may be empty and not the last.
pub struct Pages {
    app: App,
    /// What comes next; `None` after the last page.
    search: Option<Search>,
}

impl Pages {
    pub fn of(app: &App, search: &Search) -> Self {
        Self {
            app: app.clone(),
            search: Some(search.clone()),
        }
    }

    /// The next page, if there is one.
    pub async fn next(&mut self) -> Result<Option<Vec<Found>>, NotSearched> {
        let Some(search) = self.search.take() else {
            return Ok(None);
        };
        let (now, asked) = (self.app.now(), search.clone());
        let page = self.app.read(move |rx| asked.page(rx, now)).await?;
        self.search = page.next.map(|from| Search {
            from: Some(from),
            ..search
        });
        Ok(Some(page.items))
    }
}
