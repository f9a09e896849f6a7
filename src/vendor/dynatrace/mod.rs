//! Dynatrace.
