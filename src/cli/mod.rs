//! The room `cli`.

pub mod simulate;
