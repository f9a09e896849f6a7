//! Tests of the whole program.
#![cfg(test)]

mod corpus;
mod harness;
mod locks;
