//! The stage `pack`.
