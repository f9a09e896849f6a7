//! A ledger that can't be written: nothing more is sent, the reason is said, and with room the same command finishes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::harness::{Fleet, LedgerCopy, Request, Simulator, Workspace};

/// A file system in memory, of a size. Dropping it unmounts it.
#[derive(Debug)]
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount(folder: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&folder).expect("a folder can be made");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&folder)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(folder))
    }

    fn grow(&self, size: &str) {
        let grown = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.0)
            .status();
        assert!(grown.expect("mount runs").success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A mount that stays behind hurts nobody but the folder's removal.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// What must be told beside the reason: a ledger that can't even be opened has taken nothing on. Room may also end between
/// its opening and the first request.
fn advice(simulator: &Simulator, told: &str) -> &'static str {
    let unopened = "can't open the ledger";
    if simulator.handled() == 0 && told.contains(unopened) {
        unopened
    } else {
        "run the same command again"
    }
}

#[test]
fn a_full_disk_stops_the_run_and_room_lets_it_finish() {
    let (mut stopped, mut writing) = (0, 0);
    for size in ["128k", "256k", "384k", "512k", "768k", "1m"] {
        let workspace = Workspace::new();
        let Some(disk) = SmallDisk::mount(workspace.path("disk"), size) else {
            println!("not tried: mounting a tmpfs is not allowed here");
            return;
        };
        let fleet = Fleet::wide(300, 8);
        let simulator = fleet.serve(&workspace, &[]);
        fleet.write(&workspace, simulator.url(), "");
        let arguments = ["--ledger", "disk/ledger.db", "run", "job.toml"];
        let first = workspace.run(&arguments);
        if first.code != Some(0) {
            stopped += 1;
            writing += usize::from(simulator.journal().iter().any(Request::is_write));
            let first = first.expect(1);
            for part in [
                "ledger.db",
                "database or disk is full",
                advice(&simulator, &first.stderr),
            ] {
                assert!(
                    first.stderr.contains(part),
                    "{size}: `{part}` is missing: {}",
                    first.stderr
                );
            }
            disk.grow("64m");
            if workspace
                .path("disk/ledger.db")
                .metadata()
                .is_ok_and(|file| file.len() > 0)
            {
                simulator.check_attempts(&LedgerCopy::of(&workspace.path("disk/ledger.db")).attempts());
            } else {
                assert_eq!(simulator.handled(), 0, "{size}");
            }
            workspace.run(&arguments).expect(0);
        }
        fleet.check(&simulator);
        let mut ledger = LedgerCopy::of(&workspace.path("disk/ledger.db"));
        ledger.check();
        let last = ledger.runs().pop().expect("a run");
        assert_eq!(last.state, "finished");
    }
    assert!(
        stopped >= 3 && writing > 0,
        "{stopped} disks were too small, {writing} in the middle of writes"
    );
}

#[test]
fn a_limit_on_the_size_of_files_does_not_kill_the_process_and_room_lets_it_finish() {
    let (mut stopped, mut writing) = (0, 0);
    for kilobytes in [64, 128, 256, 512, 768, 1_024] {
        let workspace = Workspace::new();
        let fleet = Fleet::wide(300, 8);
        let simulator = fleet.serve(&workspace, &[]);
        fleet.write(&workspace, simulator.url(), "");
        let line = format!("ulimit -f {}; exec \"$0\" run job.toml", kilobytes * 2);
        let mut command = Command::new("sh");
        command.args(["-c", &line, env!("CARGO_BIN_EXE_tagferry")]);
        workspace.at_home(&mut command);
        let first = workspace.start(&mut command).wait();
        if first.code != Some(0) {
            stopped += 1;
            writing += usize::from(simulator.journal().iter().any(Request::is_write));
            let first = first.expect(1);
            for part in ["ledger.db", "disk I/O error", advice(&simulator, &first.stderr)] {
                assert!(
                    first.stderr.contains(part),
                    "{kilobytes}: `{part}` is missing: {}",
                    first.stderr
                );
            }
            simulator
                .check_attempts(&LedgerCopy::of(&workspace.path("state-home/tagferry/ledger.db")).attempts());
            workspace.run(&["run", "job.toml"]).expect(0);
        }
        fleet.check(&simulator);
        workspace.ledger().check();
    }
    assert!(
        stopped >= 3 && writing > 0,
        "{stopped} limits were too small, {writing} in the middle of writes"
    );
}
