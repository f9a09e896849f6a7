//! `man`: the manual page.

use clap::CommandFactory;

use super::exit::Exit;
use super::{Cli, print};

pub(super) fn run() -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    print::result(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}
