//! The room `job`.
