//! Tests of the whole program.
#![cfg(test)]

mod actions;
mod classic;
mod commands;
mod corpus;
mod crash;
mod credentials;
mod desk;
mod harness;
mod inventories;
mod locks;
mod names;
mod plans;
mod repeats;
mod retries;
mod safety;
mod signals;
mod throttling;
