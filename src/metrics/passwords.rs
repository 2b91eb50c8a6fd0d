//! Passwords: what came of entering them, and who waits for a thread.

use prometheus::{
    IntCounterVec, IntGauge, Registry, register_int_counter_vec_with_registry,
    register_int_gauge_with_registry,
};

/// What came of a password that somebody entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    Right,
    Wrong,
    /// There were so many failures that it was not looked at.
    Braked,
    /// So many wait for a thread that it was not looked at.
    Busy,
}

impl PasswordCheck {
    const ALL: [PasswordCheck; 4] = [
        PasswordCheck::Right,
        PasswordCheck::Wrong,
        PasswordCheck::Braked,
        PasswordCheck::Busy,
    ];

    fn as_str(self) -> &'static str {
        match self {
            PasswordCheck::Right => "right",
            PasswordCheck::Wrong => "wrong",
            PasswordCheck::Braked => "braked",
            PasswordCheck::Busy => "busy",
        }
    }
}

pub struct Passwords {
    checks: IntCounterVec,
    /// Threads that hash a password now.
    pub threads_in_use: IntGauge,
    /// Passwords that wait for one.
    pub waiting: IntGauge,
}

impl Passwords {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let checks = register_int_counter_vec_with_registry!(
            "jeton_password_checks_total",
            "Passwords entered to sign in or to confirm it is oneself, by what came of it.",
            &["outcome"],
            registry
        )?;
        for check in PasswordCheck::ALL {
            checks.with_label_values(&[check.as_str()]);
        }
        Ok(Self {
            checks,
            threads_in_use: register_int_gauge_with_registry!(
                "jeton_password_threads_in_use",
                "Threads that hash a password now.",
                registry
            )?,
            waiting: register_int_gauge_with_registry!(
                "jeton_password_queue_length",
                "Passwords that wait for a thread.",
                registry
            )?,
        })
    }

    /// Count a password that was entered.
    pub fn checked(&self, check: PasswordCheck) {
        self.checks.with_label_values(&[check.as_str()]).inc();
    }
}
