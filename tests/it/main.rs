//! Tests of the whole program.
#![cfg(test)]

mod corpus;
mod crash;
mod harness;
mod locks;
