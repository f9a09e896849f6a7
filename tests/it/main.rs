//! Tests of the whole program.
#![cfg(test)]

mod actions;
mod addresses;
mod apache;
mod classic;
mod commands;
mod contract;
mod corpus;
mod crash;
mod credentials;
mod desk;
mod disk;
mod faults;
mod harness;
mod inventories;
mod laws;
mod locks;
mod lookups;
mod names;
mod plans;
mod readme;
mod repeats;
mod replaces;
mod retries;
mod review;
mod review_plan;
mod rooms;
mod safety;
mod samples;
mod signals;
mod switches;
mod throttling;
mod tokens;
mod undo;
mod waves;
