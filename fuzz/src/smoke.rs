//! A bounded, reproducible run on a stable toolchain.

use std::env;
use std::fs;
use std::io::{self, Write, stderr};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use crate::mutate::{Random, mutant};

/// Inputs of each target where `CROSSPIPE_FUZZ_ITERATIONS` does not say another number.
const ITERATIONS: usize = 2_000;

/// Gives a target all seeds, then mutants of them. `CROSSPIPE_FUZZ_SEED` makes other mutants, and
/// `CROSSPIPE_FUZZ_INPUT` names a file that is the one input.
///
/// # Errors
/// When that file can't be read.
///
/// # Panics
/// With the target, after the input is written to a file that is named on standard error.
pub fn smoke(name: &str, seeds: &[Vec<u8>], target: fn(&[u8])) -> io::Result<()> {
    if let Some(file) = env::var_os("CROSSPIPE_FUZZ_INPUT") {
        target(&fs::read(file)?);
        return Ok(());
    }
    let mut random = Random::new(number("CROSSPIPE_FUZZ_SEED").unwrap_or(1) as u64);
    for seed in seeds {
        give(name, target, seed);
    }
    for _ in 0..number("CROSSPIPE_FUZZ_ITERATIONS").unwrap_or(ITERATIONS) {
        give(name, target, &mutant(&mut random, seeds));
    }
    Ok(())
}

/// The files of a folder, in the order of their names.
///
/// # Errors
/// When one can't be read.
pub fn seeds(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    files.iter().map(fs::read).collect()
}

fn give(name: &str, target: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        let file = env::temp_dir().join(format!("crosspipe-fuzz-{name}-{}", std::process::id()));
        let written = fs::write(&file, input);
        let shown = String::from_utf8_lossy(input);
        let _ = writeln!(
            stderr(),
            "target `{name}` fails on an input of {} bytes: {shown}\n  run it alone: CROSSPIPE_FUZZ_INPUT={} cargo test -p crosspipe-fuzz {name}{}",
            input.len(),
            file.display(),
            written.err().map(|error| format!(" (it could not be written: {error})")).unwrap_or_default(),
        );
        resume_unwind(panic);
    }
}

fn number(variable: &str) -> Option<usize> {
    env::var(variable).ok()?.parse().ok()
}
