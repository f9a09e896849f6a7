//! Tests of the whole program.

mod corpus;
