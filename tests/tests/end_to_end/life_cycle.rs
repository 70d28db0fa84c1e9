//! Create, Update and Delete.
