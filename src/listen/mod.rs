//! Hears what happens and shows it: a progress bar, or lines now and then.

mod progress;
mod rate;
mod render;
mod style;
mod tally;

pub use progress::{Progress, events};
pub use style::Style;
