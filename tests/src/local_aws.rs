//! The server and what talks to it.

mod account;
mod bridge;
mod server;
mod shell;
mod stacks;
mod subscriber;
mod venv;
mod violations;

pub use account::Account;
pub use bridge::CallError;
pub use server::LocalAws;
pub use stacks::{StackError, StackEvent, StackFailure};
pub use subscriber::Subscriber;
pub use venv::Venv;
pub(crate) use violations::Violation;
