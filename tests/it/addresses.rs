//! Where a connection points: environments of Managed, gateways with a path of their own, a stray slash.

use super::harness::{Simulator, Workspace};

#[test]
fn any_path_before_the_api_is_kept() {
    for (prefix, want) in [
        ("", "/api/v2/"),
        ("/", "/api/v2/"),
        ("/e/7f3c1c5e-1234", "/e/7f3c1c5e-1234/api/v2/"),
        ("/gateway/e/7f3c/", "/gateway/e/7f3c/api/v2/"),
    ] {
        let workspace = Workspace::new();
        let simulator = Simulator::serve(&workspace, &["--entities", "3", "--tags", "none"]);
        let rows = "entity_id,env\nHOST-0000000000000001,prod\n";
        workspace.write("hosts.csv", rows);
        workspace.write_job("addresses", &["env"], &format!("{}{prefix}", simulator.url()), "");
        // The host does not exist: what counts is where it was looked for.
        workspace.run(&["run", "job.toml"]).expect(4);
        let journal = simulator.journal();
        assert!(!journal.is_empty());
        for request in journal {
            assert!(request.target.starts_with(want), "{prefix}: {}", request.target);
            assert_eq!(request.status, Some(200), "{prefix}: {}", request.target);
        }
    }
}
