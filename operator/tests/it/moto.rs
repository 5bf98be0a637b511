//! The command against moto.
