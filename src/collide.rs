//! The stage `collide`.
