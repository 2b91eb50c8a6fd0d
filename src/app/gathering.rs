//! Requests of one worker that gather, and are served together.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::PATIENCE;
use crate::db::Fault;
use crate::metrics::Desk;

/// How many may wait on one worker before the next is told to come back later.
const WAITING: usize = 2048;

/// All that wait on one worker for an `A` to their `Q`. While some are served, the next gather: a lone request waits for
/// nobody, and the more there are, the less each costs.
pub(super) struct Gathering<Q, A> {
    waiting: RefCell<Vec<(Q, Asking<A>)>>,
    /// How many batches are under way.
    under_way: Cell<usize>,
    /// How many are served together at most.
    most: usize,
    /// How many batches may be under way at once.
    at_once: usize,
    metrics: Desk,
}

/// Where somebody waits for an answer.
type Asking<A> = oneshot::Sender<Result<A, Fault>>;

impl<Q, A> Gathering<Q, A> {
    pub fn new(most: usize, at_once: usize, metrics: Desk) -> Self {
        Self {
            waiting: RefCell::default(),
            under_way: Cell::new(0),
            most,
            at_once,
            metrics,
        }
    }

    /// Join those who wait, and wait for the answer. Where too many do already it is [`Fault::Busy`] at once, and where none
    /// comes, after [`PATIENCE`]. `serve` is called if somebody has to run [`Gathering::serve`].
    pub async fn ask(&self, question: Q, serve: impl FnOnce()) -> Result<A, Fault> {
        let answered = self.join(question)?;
        if self.under_way.get() < self.at_once {
            self.under_way.update(|count| count + 1);
            serve();
        }
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(answer)) => answer,
            _ => Err(Fault::Busy),
        }
    }

    fn join(&self, question: Q) -> Result<oneshot::Receiver<Result<A, Fault>>, Fault> {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= WAITING {
            return Err(Fault::Busy);
        }
        let (answer, answered) = oneshot::channel();
        waiting.push((question, answer));
        self.metrics.came();
        Ok(answered)
    }

    /// Serve all that wait, batch by batch, until nobody does.
    pub async fn serve(&self, answers: impl AsyncFn(Vec<Q>) -> Result<Vec<A>, Arc<Fault>>) {
        let _end = Served(&self.under_way);
        loop {
            // The other requests of this turn join first.
            tokio::task::yield_now().await;
            let batch: Vec<_> = {
                let mut waiting = self.waiting.borrow_mut();
                let some = waiting.len().min(self.most);
                waiting.drain(..some).collect()
            };
            if batch.is_empty() {
                return;
            }
            let timer = self.metrics.serves(batch.len());
            // Who has given up gets nothing, least of all a token.
            let (questions, asking): (Vec<Q>, Vec<_>) = batch
                .into_iter()
                .filter(|(_, asking)| !asking.is_closed())
                .unzip();
            if questions.is_empty() {
                continue;
            }
            let answers = answers(questions).await;
            timer.observe_duration();
            // Who has hung up meanwhile hears nothing.
            match answers {
                Ok(answers) => {
                    for (asking, answer) in asking.into_iter().zip(answers) {
                        let _ = asking.send(Ok(answer));
                    }
                }
                Err(fault) => {
                    for asking in asking {
                        let _ = asking.send(Err(fault.again()));
                    }
                }
            }
        }
    }
}

/// Whatever ends the service, the next request begins it anew.
struct Served<'a>(&'a Cell<usize>);

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.0.update(|count| count - 1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metrics::Metrics;

    fn gathering() -> Gathering<u32, u32> {
        let metrics = Metrics::new().expect("the metrics have good names");
        Gathering::new(2, 1, metrics.desks.lookups.clone())
    }

    /// Serve all that wait by their own numbers; the batches there were.
    async fn batches(gathering: &Gathering<u32, u32>) -> Vec<Vec<u32>> {
        let seen = RefCell::new(vec![]);
        let echo = async |questions: Vec<u32>| {
            seen.borrow_mut().push(questions.clone());
            Ok(questions)
        };
        gathering.under_way.set(1);
        gathering.serve(echo).await;
        seen.into_inner()
    }

    #[actix_web::test]
    async fn who_has_given_up_is_not_served() {
        let gathering = gathering();
        let mut answers: Vec<_> = (0..5).map(|n| gathering.join(n)).collect();
        // Of the first batch all, of the second one.
        for n in [2, 1, 0] {
            drop(answers.remove(n));
        }
        assert_eq!(batches(&gathering).await, [vec![3], vec![4]]);
        for (answer, n) in answers.into_iter().zip([3, 4]) {
            let answer = answer.expect("there is room").await;
            assert!(answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer == n)));
        }
    }

    #[actix_web::test]
    async fn who_waits_too_long_is_told_so() {
        let gathering = gathering();
        let ask = gathering.ask(1, || {});
        let told = tokio::time::timeout(PATIENCE + Duration::from_secs(5), ask).await;
        assert!(matches!(told, Ok(Err(Fault::Busy))));
        assert!(batches(&gathering).await.is_empty());
    }
}
