//! Tests of the whole program.
#![cfg(test)]

mod corpus;
mod crash;
mod credentials;
mod harness;
mod locks;
mod signals;
mod throttling;
