//! The stage `diff`.
